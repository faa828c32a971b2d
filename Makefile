# `make prove` and `make test` set up what they need; any python3 from 3.11 on will do: make PYTHON=python3.12 test
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help prove coq test test-all lint bench clean

help:
	@echo "make prove   set up, then prove the bundled S6 network right (proofs/S6-*/)"
	@echo "make coq     set up, then let Coq's kernel check that the bundled S5 network multiplies (needs coqc)"
	@echo "make test    set up, then run the tests"
	@echo "make test-all  the same with the slow tests"
	@echo "make lint    set up, then run ruff and mypy"
	@echo "make bench   set up, then run every benchmark"
	@echo "make clean   remove the environment and the proofs"

prove: .venv/.installed
	$(BIN)/verify run --group S6

coq: .venv/.installed
	@command -v coqc >/dev/null || { echo "expected coqc, found none: install Coq 8.16 or later (Debian and Ubuntu: apt-get install coq)" >&2; exit 1; }
	$(BIN)/verify run --group S5 --out proofs/S5
	$(BIN)/verify export coq proofs/S5 --checkpoint net/checkpoints/S5.safetensors --out proofs/S5-coq
	$(MAKE) --no-print-directory -j2 -C proofs/S5-coq

test: .venv/.installed-dev
	OPENBLAS_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist worksteal -q -m "not slow"

test-all: .venv/.installed-dev
	OPENBLAS_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist worksteal -q

lint: .venv/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --config-file tests/mypy.ini tests scripts benchmarks

bench: .venv/.installed-dev
	for script in benchmarks/bench_*.py; do $(BIN)/python "$$script" || exit 1; done

# torch comes first: pip then keeps the build that it found, and does not look for another one
.venv/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(f"expected Python 3.11 or newer, found {v[0]}.{v[1]}; try make PYTHON=python3.12" if v < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check torch==2.13.0
	$(BIN)/pip install --quiet --disable-pip-version-check -e . -c constraints.txt
	touch $@

.venv/.installed-dev: .venv/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]' -c constraints.txt
	touch $@

clean:
	rm -rf .venv proofs

# Compiles the theory, the network and the theorem: make, or make -j2. Needs coqc (Debian and Ubuntu: apt-get install coq).
COQC ?= coqc
COQFLAGS = -noglob -Q theory CosetVerify

Theorem.vo: Network.vo $(patsubst %.v,%.vo,$(wildcard Plan.v Mistakes.v)) theory/$(if $(wildcard Plan.v),AllPairs,Check).vo
theory/Sums.vo: theory/Definitions.vo
theory/Machine.vo: theory/Sums.vo
theory/Rounding.vo: theory/Machine.vo
theory/Groups.vo: theory/Sums.vo
theory/Pairs.vo: theory/Rounding.vo
theory/Exceptions.vo: theory/Groups.vo
theory/Check.vo: theory/Exceptions.vo theory/Pairs.vo
theory/Packing.vo: theory/Rounding.vo
theory/Loss.vo: theory/Machine.vo
theory/Tables.vo: theory/Packing.vo theory/Loss.vo
theory/Factored.vo: theory/Check.vo theory/Tables.vo
theory/AllPairs.vo: theory/Factored.vo
Plan.vo: theory/Factored.vo
Network.vo Mistakes.vo: theory/Definitions.vo

%.vo: %.v
	$(COQC) $(COQFLAGS) $<

.PHONY: clean
clean:
	rm -f *.vo* .*.aux theory/*.vo* theory/.*.aux

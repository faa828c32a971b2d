"""A certificate and a summary for S3, written by hand: what a run leaves in its directory."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

JSON = dict[str, Any]
POINTS = range(3)
STABILISERS = ["(2 3)", "(1 3)", "(1 2)"]


def veto_program() -> JSON:
    """For all points j, k: push against "z sends j to k" by |x(j) - y^-1(k)|, a distance of two points.

    The pushes against xy are all 0, and any other z sends some j elsewhere than xy does: xy alone is ahead.
    """
    # cosets by least element: right cosets of Stab(j) and left cosets of Stab(k), worked out by hand
    sent = [[0, 1, 2], [1, 2, 0], [2, 1, 0]]  # sent[j][p]: where the p-th right coset of Stab(j) sends j
    came = [[0, 1, 2], [1, 2, 0], [2, 1, 0]]  # came[k][q]: what the q-th left coset of Stab(k) sends to k
    circuits = []
    for j in POINTS:
        for k in POINTS:
            # the identity lies in the first of the two double cosets, and it sends j to k when j = k
            votes = [-8, 0] if j == k else [0, -8]
            forward = {"left": sent[j], "right": [-q for q in came[k]]}
            back = {"left": [-p for p in sent[j]], "right": came[k]}
            neurons = [{"index": 6 * j + 2 * k + n, **d, "votes": votes} for n, d in enumerate((forward, back))]
            circuits.append(
                {
                    "left": {"on": "right cosets", "subgroups": [j], "kernels": []},
                    "right": {"on": "left cosets", "subgroups": [k], "kernels": []},
                    "votes": {"on": "double cosets", "subgroups": [j, k], "kernels": []},
                    "neurons": neurons,
                }
            )
    return {
        "format": "coset-voting program 1",
        "group": {"name": "S3", "degree": 3, "order": 6, "generators": ["(1 2 3)", "(1 2)"]},
        "subgroups": [{"name": f"S2({j + 1})", "order": 2, "generators": [STABILISERS[j]]} for j in POINTS],
        "preactivation_bits": 0,
        "vote_bits": 2,
        "bias": [],
        "circuits": circuits,
    }


ANSWERS = [
    [0, 1, 2, 3, 4, 5],
    [1, 0, 3, 2, 5, 4],
    [2, 4, 0, 5, 1, 3],
    [3, 5, 1, 4, 0, 2],
    [4, 2, 5, 0, 3, 1],
    [5, 3, 4, 1, 2, 0],
]
"""The Cayley table of S3, worked out by hand: ANSWERS[x][y] is x first, then y."""


def digest(answers: list[list[int]]) -> str:
    return hashlib.sha256(b"".join(z.to_bytes(2, "big", signed=True) for row in answers for z in row)).hexdigest()


@pytest.fixture
def certificate() -> JSON:
    """What is proved of a network that is the program."""
    neuron = {"kind": "coset", "left_deviation": "1/1024", "right_deviation": "0", "votes_deviation": "3/8"}
    return {
        "format": "coset-verify certificate 2",
        "verdict": "VERIFIED",
        "group": veto_program()["group"],
        "checkpoint": {
            "sha256": "a" * 64,
            "format": "folded",
            "order": "lexicographic",
            "product": "left-first",
            "numbering": list(range(6)),
            "width": 18,
            "parameters": 330,
            "float32_forward": True,
        },
        "program": veto_program(),
        "neurons": [{"index": i, "circuit": i // 2, **neuron} for i in range(18)],
        "correct": {
            "status": "PROVED",
            "pairs": 36,
            "right": 36,
            "ties": 0,
            "wrong": [],
            "answers_sha256": digest(ANSWERS),
            "min_margin": "22/3",
            "min_margin_pair": [1, 2],
            "float32_any_order": 36,
        },
        "equivalent": {
            "status": "PROVED",
            "pairs": 36,
            "agree": 36,
            "differ": [],
            "answers_sha256": digest(ANSWERS),
        },
        "symbolic": {"status": "PROVED", "provable": None, "proof": None, "counterexample": None, "pushes": [], "distance": None},
        "compact": {
            "status": "PROVED",
            "certified": 30,
            "flops": 1234,
            "flops_brute": 12345678,
            "plan": {"side": "left", "level_bits": 0, "families": [], "merges": []},
        },
        "not_checked": {"versions": {"numpy": "2.4.6", "coset-verify": "0.1.0"}},
        "sha256": "b" * 64,
    }


def family_grid() -> JSON:
    """Two neurons for each pair of point stabilisers."""
    names = [f"S2({j + 1})" for j in POINTS]
    return {"rows": names, "columns": names, "neurons": [[2] * 3] * 3, "covered": 9, "possible": 9}


def vote_table() -> JSON:
    """Circuit 1, worked out by hand: x sends 1 to p, y sends q to 1, and they push against 1 -> 1 by 2 |p - q| where p is not q."""
    # by least elements: 0 and 1 keep 1 in its place, 2 and 4 move something else there; 3 is (1 2 3)
    votes = [[[-8 * abs(p - q), 0] for q in range(3)] for p in range(3)]
    products = [[0 if p == q else 1 for q in range(3)] for p in range(3)]
    return {"circuit": 1, "rows": [0, 2, 4], "columns": [0, 2, 3], "kinds": [0, 2], "products": products, "votes": votes}


@pytest.fixture
def summary() -> JSON:
    """What is measured of the same network."""
    removals = {"20%": 0.995, "40%": 0.99, "60%": 0.985}
    level: JSON = {"answers_agree": 36, "logit_fve": 0.9996, "runner_up_agree": 0.9}
    level |= {"ablation_fve": 0.99, "ablation_fve_by_share": removals}
    point = level | {"preactivation_bits": 0, "vote_bits": 2}
    surgery = {"network_right": 1.0, "program_right": 0.75, "logit_fve": 0.97, "in_top_set": 1.0, "clear": 1.0}
    return {
        "format": "coset-verify summary 2",
        "group": {"name": "S3", "order": 6},
        "checkpoint": {
            "sha256": "a" * 64,
            "format": "folded",
            "order": "lexicographic",
            "product": "left-first",
        },
        "explained": {
            "status": "in part",
            "ratio": 144 / 330,
            "logit_fve": 0.9996,
            "energy_labelled": 1.0,
            "words": "explained in part; a program of 43.6 % of the parameters",
        },
        "network": {"width": 18, "live": 18, "parameters": 330, "sample_accuracy": 1.0},
        "correct": {
            "status": "PROVED",
            "pairs": 36,
            "right": 36,
            "ties": 0,
            "wrong": [],
            "min_margin": "22/3",
            "float32_any_order": 36,
            "rechecked_exactly": 2,
            "last_tier": 1,
            "seconds": 0.0123,
        },
        "program": {
            "constants": 144,
            "ratio": 144 / 330,
            "refinements": 2,
            "raw_neurons": 0,
            "circuits": 9,
            "seconds": 0.5,
            "neurons": [
                {
                    "index": i,
                    "kind": "coset",
                    "left": f"S2({i // 6 + 1})",
                    "right": f"S2({i // 2 % 3 + 1})",
                    "left_residual": 0.001,
                    "right_residual": 0.0,
                    "votes_residual": 0.07,
                    "left_share": 0.9999,
                    "right_share": 1.0,
                    "votes_share": 0.93,
                    "irreps": [["(2,1)", 0.98]],
                    "energy_share": 1 / 18,
                }
                for i in range(18)
            ],
        },
        "equivalence": {**level, "max_margin_difference": 0.5},
        "curve": [
            {**point, "name": "averaged", "ratio": 0.3, "logit_fve": 0.8},
            {**point, "name": "readable", "ratio": 0.43},
            {**point, "name": "faithful", "ratio": 0.9, "ablation_fve": 0.999},
        ],
        "counterfactuals": [{"name": "remove 40 % of the circuits", "pairs": 36, "answers_agree_clear": 1.0, **surgery}],
        "symbolic": {
            "status": "PROVED",
            "reason": "",
            "seconds": 0.2,
            "seconds_search": 0.1,
            "about": "readable",
            "obligations": [
                {
                    "id": "O1.S2",
                    "statement": "No z gets more votes than xy.",
                    "status": "PROVED",
                    "seconds": 0.2,
                    "file": "obligations/O1.S2.smt2",
                    "opinions": {"z3": {"word": "agrees", "seconds": 0.2, "detail": ""}},
                }
            ],
        },
        "compact": {
            "certified": 30,
            "flops": 1234,
            "flops_brute": 12345678,
            "seconds": 0.01,
            "seconds_brute": 0.04,
            "seconds_search": 1.5,
            "strategies": [
                {"name": "quadratic", "certified": 20, "flops": 1000, "seconds": 0.006},
                {"name": "factored", "certified": 10, "flops": 234, "seconds": 0.004},
            ],
            "reason": "",
        },
        "compact_map": {
            "names": ["quadratic", "factored", "exact"],
            "rows": [[1, 2, 3], [1, 1, 2], [1, 1, 1]],
        },
        "margins": {"edges": [-2, 0, 2, 4], "network": [0, 10, 26], "bound": [6, 20, 10]},
        "families": [{"name": "S2", "circuits": 9, "neurons": 18, "energy_share": 1.0, "grid": family_grid()}],
        "circuits": [{"number": k, "family": "S2", "neurons": 2, "energy_share": 1 / 9} for k in range(1, 10)],
        "vote_tables": [vote_table()],
        "margin_map": {"step": 2, "rows": [[7.5, 8.0, 9.0], [8.0, None, 8.5], [9.0, 8.5, 8.0]]},
        "lattice": {
            "nodes": [
                {"name": "1", "order": 1, "length": 1, "used": 0, "x": 0.0, "layer": 0},
                {"name": "S2", "order": 2, "length": 3, "used": 18, "x": -1.0, "layer": 1},
                {"name": "C3", "order": 3, "length": 1, "used": 0, "x": 1.0, "layer": 2},
                {"name": "S3", "order": 6, "length": 1, "used": 0, "x": 0.0, "layer": 3},
            ],
            "edges": [[0, 1], [0, 2], [1, 3], [2, 3]],
            "routes": [[[0, 0], [-1, 1]], [[0, 0], [0.5, 1], [1, 2]], [[-1, 1], [-0.5, 2], [0, 3]], [[1, 2], [0, 3]]],
        },
        "labels": {"energy_labelled": 1.0, "kinds": {"coset": 18}},
        "gcr": {"logit_fve": 0.6, "irreps": {"(2,1)": 0.6}},
        "verdict": "VERIFIED",
        "settings": {},
        "seconds": {"exhaustive": 0.0123, "distillation": 0.5, "symbolic": 0.2, "total": 0.8},
    }


@pytest.fixture
def directory(tmp_path: Path, certificate: JSON, summary: JSON) -> Path:
    """A directory that holds the two files."""
    (tmp_path / "certificate.json").write_text(json.dumps(certificate))
    (tmp_path / "summary.json").write_text(json.dumps(summary))
    return tmp_path


@pytest.fixture(scope="session")
def real_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on a small planted network over S4, made once."""
    from algebra.group import parse_group
    from net.formats.folded_arrays import save_folded
    from net.planted import planted_network
    from verify.jobs.run import run

    folder = tmp_path_factory.mktemp("report")
    weights = planted_network(parse_group("S4"), seed=1, width=48, noise=0.01).network.weights
    save_folded(folder / "n.safetensors", weights)
    return run(folder / "n.safetensors", "S4", folder / "out", timeout_s=0).directory


_DRAWN: dict[str, dict[str, bytes]] = {}


@pytest.fixture(autouse=True)
def drawn_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures of the same data are drawn once in a session, but in tests marked ``draws``: drawing takes nine tenths of a report."""
    from reports import figures

    if request.node.get_closest_marker("draws"):
        return
    draw = figures.draw_figures

    def remembered(source: Any, pictures: Any, neuron: Any, form: Any = "svg") -> dict[str, bytes]:
        key = hashlib.sha256(json.dumps([source.c, source.s, pictures, neuron, form], sort_keys=True).encode()).hexdigest()
        if key not in _DRAWN:
            _DRAWN[key] = draw(source, pictures, neuron, form)
        return _DRAWN[key]

    monkeypatch.setattr(figures, "draw_figures", remembered)

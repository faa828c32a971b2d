"""At which noise planted neurons stop getting their labels back, and what random weights get: a table.

Usage: python benchmarks/bench_labels.py [GROUP ...]      (default: S4 S5)
"""

import sys

import numpy as np

from algebra.group import parse_group
from algebra.lattice import subgroups
from net.planted import planted_network
from net.weights import Weights
from verify.distil.coset_spaces import candidate_shares, candidate_spaces
from verify.distil.labels import NeuronLabel, label_neurons

NOISE = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7)
KINDS = {"twisted": 8, "dual": 8, "sign": 4, "raw": 8}


def labels(name: str, weights: Weights) -> tuple[NeuronLabel, ...]:
    lattice = subgroups(parse_group(name))
    choices = candidate_spaces(lattice)
    shares = [candidate_shares(choices, part) for part in (weights.L, weights.R)]
    return label_neurons(lattice, choices, shares[0], shares[1], weights)


def row(name: str, noise: float) -> list[str]:
    group = parse_group(name)
    planted = planted_network(group, seed=7, width=160, kinds=KINDS, noise=noise)
    found = labels(name, planted.network.weights)
    hits: dict[str, list[bool]] = {}
    for label, truth in zip(found, planted.neurons, strict=True):
        hit = label.kind == truth.kind
        if hit and truth.kind in ("coset", "sign") and label.left and label.right and truth.left and truth.right:
            hit = bool((label.left.subgroup.mask == truth.left.mask).all() and (label.right.subgroup.mask == truth.right.mask).all())
        hits.setdefault(truth.kind, []).append(hit)
    return [f"{noise:.2f}", *(f"{np.mean(hits[kind]):.2f}" for kind in ("coset", "sign", "twisted", "dual", "raw"))]


def main() -> None:
    for name in sys.argv[1:] or ["S4", "S5"]:
        print(f"{name}: share of planted neurons whose label is the planted one (coset and sign: with the very subgroups)")
        print("| noise | coset | sign | twisted | dual | raw |\n|---|---|---|---|---|---|")
        for noise in NOISE:
            print("| " + " | ".join(row(name, noise)) + " |")
        order = parse_group(name).order
        rng = np.random.default_rng(0)
        null = Weights.from_arrays(*(rng.normal(size=shape) for shape in ((order, 512), (order, 512), (512, order))))
        kinds = [label.kind for label in labels(name, null)]
        print(f"512 neurons with random weights: {sum(kind != 'raw' for kind in kinds)} labelled\n")


if __name__ == "__main__":
    main()

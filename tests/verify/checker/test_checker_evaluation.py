"""Pairs evaluated one by one, and the distance of a network and a program, against fractions."""

import random
from collections.abc import Iterator
from fractions import Fraction
from types import SimpleNamespace

import pytest

from verify.checker import equivalence
from verify.checker.evaluation import Pair, Pairs, answers_of, evaluate
from verify.checker.float32 import Forward
from verify.checker.integers import Network, Rows, columns
from verify.checker.progress import Progress
from verify.checker.shape import Differs
from verify.checker.statement import check_neurons
from verify.checker.tables import Settled

SILENT = Progress(None)
PRODUCTS = [[(x + y) % 3 for y in range(3)] for x in range(3)]
ALL = Pairs([[0, 1, 2]] * 3)


def drawn(seed: int, width: int = 4, big: int = 6, squared: bool = False) -> Network:
    """A network over C3 that is right at some pairs, wrong at others, and has ties."""
    draw = random.Random(seed)

    def rows(count: int, length: int) -> Rows:
        return [[draw.randint(-big, big) for _ in range(length)] for _ in range(count)]

    return Network(rows(3, width), rows(3, width), rows(width, 3), rows(1, 3)[0], 3, 2, squared)


def by_definition(network: Network, x: int, y: int) -> tuple[list[int], int]:
    """The logits at (x, y), and the answer, -1 for a tie."""
    sums = [a + b for a, b in zip(network.left[x], network.right[y], strict=True)]
    h = [s * s if network.squared else max(s, 0) for s in sums]
    logits = [sum(a * v[z] for a, v in zip(h, network.votes, strict=True)) + network.bias[z] for z in range(network.order)]
    return logits, logits.index(max(logits)) if logits.count(max(logits)) == 1 else -1


def lead(logits: list[int], z: int) -> int:
    return logits[z] - max(value for w, value in enumerate(logits) if w != z)


@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("sampled", [False, True])
def test_answers_and_leads_of_single_pairs_are_those_of_the_definition(squared: bool, sampled: bool) -> None:
    """All pairs, or some of each x; right, wrong and tied answers among them."""
    seen = set()
    for seed in range(40):
        network, pairs = drawn(seed, 2, 2, squared), Pairs([[0, 2], [], [1]]) if sampled else ALL
        found, answers = evaluate(network, None, PRODUCTS, pairs, 1, SILENT), answers_of(network, pairs, 1, SILENT)
        assert pairs.count == (3 if sampled else 9) == sum(map(len, found))
        assert pairs.complete != sampled
        for x, y, pair in pairs.together(found):
            logits, answer = by_definition(network, x, y)
            assert pair == Pair(answer, lead(logits, PRODUCTS[x][y]), False)
            assert answers[x][pairs.ys[x].index(y)] == answer
            seen.add((answer == -1, answer == PRODUCTS[x][y]))
    assert seen == {(True, False), (False, True), (False, False)}


def test_what_is_settled_is_taken_where_it_is_enough_for_float32_and_else_the_pair_is_evaluated() -> None:
    """Leads below what float32 may err by are looked at; a wrong answer counts as it was found."""
    taken, looked, firm = 0, 0, 0
    for seed in range(60):
        network = drawn(seed, big=90)
        sizes = [[[abs(v) for v in row] for row in side] for side in (network.left, network.right)]
        forward = Forward(network, sizes[0], sizes[1], (random.Random(seed).choice([2, 2**18, 2**21]), 4))
        truth = {(x, y): by_definition(network, x, y) for x in range(3) for y in range(3)}
        right = {pair: lead(logits, PRODUCTS[pair[0]][pair[1]]) for pair, (logits, _) in truth.items()}
        low = [[right[x, y] if right[x, y] > 0 else None for y in range(3)] for x in range(3)]
        wrong = {pair: answer for pair, (_, answer) in truth.items() if right[pair] <= 0}
        settled = Settled(low, wrong, 0, 0, 0)
        found = evaluate(network, forward, PRODUCTS, ALL, 1, SILENT, settled)
        alone = evaluate(network, forward, PRODUCTS, ALL, 1, SILENT)
        for x, y, pair in ALL.together(found):
            margin = low[x][y]
            if margin is None:
                assert pair == Pair(wrong[x, y], 0, False)
                assert (alone[x][y].answer, alone[x][y].firm) == (wrong[x, y], False)
                continue
            slots = network.logits(x, y)
            assert pair == alone[x][y] == Pair(PRODUCTS[x][y], margin, forward.firm(x, y, PRODUCTS[x][y], slots))
            taken += forward.clear(x, y, margin)
            looked += not forward.clear(x, y, margin)
            firm += pair.firm and not forward.clear(x, y, margin)
        without = evaluate(network, None, PRODUCTS, ALL, 1, SILENT, settled)
        assert [[pair.firm for pair in row] for row in without] == [[False] * 3] * 3
        assert [[pair.answer for pair in row] for row in without] == [[pair.answer for pair in row] for row in found]
    assert min(taken, looked, firm, looked - firm) > 0


# ---- the distance


def programs(count: int) -> Iterator[tuple[Network, Network, dict[int, tuple[int, int]]]]:
    """Networks with programs of other denominators: neurons near the network's, exchanged, left out; (place, circuit) of each."""
    for seed in range(count):
        draw, network = random.Random(seed), drawn(seed, 3, 9)
        kept = [i for i in range(3) if draw.random() < 0.8]
        draw.shuffle(kept)
        p, q = draw.choice([-2, 0, 3]), draw.choice([-1, 0, 2])
        apart = [draw.choice([0, 0, 2]) for _ in range(3)]

        def moved(values: list[int], by: int, near: int, draw: random.Random = draw) -> list[int]:
            return [(v << by if by >= 0 else v >> -by) + draw.randint(-near, near) for v in values]

        left, right = columns(network.left), columns(network.right)
        by_x, by_y = (columns([moved(side[i], p, apart[0]) for i in kept]) or [[], [], []] for side in (left, right))
        votes = [moved(network.votes[i], q, apart[1]) for i in kept]
        bias = moved(network.bias, p + q, apart[2])
        yield network, Network(by_x, by_y, votes, bias, 3 + p, 2 + q), {i: (place, 0) for place, i in enumerate(kept)}


def in_fractions(network: Network) -> list[list[list[Fraction]]]:
    """L and R by neurons, votes, and the bias as one row."""
    parts = ((columns(network.left), network.bits), (columns(network.right), network.bits), (network.votes, network.vote_bits))
    return [[[Fraction(v, 1 << bits) for v in row] for row in rows] for rows, bits in (*parts, ([network.bias], network.logit_bits))]


def minus(one: list[Fraction], other: list[Fraction]) -> list[Fraction]:
    return [a - b for a, b in zip(one, other, strict=True)]


def test_the_distance_is_its_definition_rounded_up() -> None:
    """The formula of the module's docstring in fractions, and in it each of its parts by itself is sometimes everything."""
    parts = set()
    for network, program, where in programs(300):
        L, R, V, b = in_fractions(network)
        own_left, own_right, U, c = in_fractions(program)
        gaps = minus(b[0], c[0])
        terms = dict.fromkeys(("left out", "pushes", "votes"), Fraction(0)) | {"bias": max(gaps) - min(gaps)}
        for i in range(3):
            spread = max(V[i]) - min(V[i])
            if i not in where:
                terms["left out"] += max(Fraction(0), max(L[i]) + max(R[i])) * spread
                continue
            k = where[i][0]
            d, e, u = minus(L[i], own_left[k]), minus(R[i], own_right[k]), minus(V[i], U[k])
            terms["pushes"] += max(abs(max(d) + max(e)), abs(min(d) + min(e))) * spread
            terms["votes"] += max(Fraction(0), max(own_left[k]) + max(own_right[k])) * (max(u) - min(u))
        exact = sum(terms.values()) * (1 << network.logit_bits)
        found = equivalence.distance(network, SimpleNamespace(network=program, where=where))  # type: ignore[arg-type]
        assert exact <= found < exact + 1
        parts |= {name for name, value in terms.items() if value and value == sum(terms.values())}
    assert parts == terms.keys()


# ---- kinds of neurons


@pytest.mark.parametrize(("highest", "votes", "kind"), [(0, [1, 0], "dead"), (1, [1, 0], "left out"), (1, [7, 7], "dead")])
def test_a_neuron_that_fires_by_one_unit_is_not_dead(highest: int, votes: list[int], kind: str) -> None:
    network = Network([[highest], [-5]], [[0], [-1]], [votes], [0, 0], 4, 0)
    program = SimpleNamespace(network=Network([[], []], [[], []], [], [0, 0], 0, 0), where={}, divided=frozenset())
    record = SimpleNamespace(index=0, circuit=None, kind=kind, left_deviation=None, right_deviation=None, votes_deviation=None)
    check_neurons([record], network, program)  # type: ignore[list-item, arg-type]
    record.kind = "left out" if kind == "dead" else "dead"
    with pytest.raises(Differs, match=r"^neurons\[0\]\.kind: "):
        check_neurons([record], network, program)  # type: ignore[list-item, arg-type]


def test_one_output_is_the_answer() -> None:
    """Whatever its logit is, and at a sample too."""
    one = Network([[-3]], [[1]], [[-5]], [-7], 0, 0)
    pairs = Pairs([[0]])
    assert answers_of(one, pairs, 1, SILENT) == [[0]]
    assert evaluate(one, None, [[0]], pairs, 1, SILENT) == [[Pair(0, 0, False)]]

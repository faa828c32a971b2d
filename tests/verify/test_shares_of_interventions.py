"""Level 3 against fractions: each figure is the exact one, or its interval holds it, on networks that floats get wrong."""

from fractions import Fraction

import numpy as np
import pytest

import verify
from algebra.group import parse_group
from net.folded import folded_network
from net.weights import Weights
from verify.analysis import Analysis, Options
from verify.claims.network_claims import Intervention
from verify.claims.subject import Subject
from verify.compare import bounded_logits
from verify.compare.bounded_logits import BoundedLogits, rows_at_once
from verify.compare.comparison import NEAR_TIE, SCALE_ROWS, SHARP, WIDE, Comparison, compare
from verify.compare.interventions import absolute_value, flip_signs
from verify.compare.loss import mean_loss

GROUPS = [parse_group(name) for name in ("S3", "C6", "D8")]
SHARES = ("answers_agree", "agree_when_clear", "clear", "in_top_set", "network_right", "program_right")


def exact_logits(weights: Weights) -> np.ndarray:
    """(n, n, n) fractions."""
    e = weights.exact()
    hidden = e.L[:, None] + e.R
    hidden = hidden * (hidden > 0) if weights.activation == "relu" else hidden * hidden
    return (hidden @ e.U + e.b) * Fraction(1, 1 << e.logit_bits)


def centred(logits: np.ndarray) -> np.ndarray:
    return logits - logits.sum(axis=2, keepdims=True) * Fraction(1, logits.shape[2])


def plainly(network: Weights, program: Weights, product: np.ndarray) -> dict[str, Fraction | None]:
    """All figures by definition."""
    n, sides = network.order, [exact_logits(one) for one in (network, program)]
    # near, squared: of distances of at least 0 the larger has the larger square
    near = [Fraction(NEAR_TIE) ** 2 * np.mean(centred(one)[:: max(1, n // SCALE_ROWS)] ** 2) for one in sides]
    counts = dict.fromkeys(("answers_agree", "clear", "both", "in_top_set", "network_right", "program_right"), 0)
    for x in range(n):
        for y in range(n):
            rows = [one[x, y].tolist() for one in sides]
            answers = [row.index(max(row)) if row.count(max(row)) == 1 else -1 for row in rows]
            leads = [sorted(row)[-1] - sorted(row)[-2] for row in rows]
            agree = answers[0] == answers[1]
            clear = all(lead > 0 and lead**2 >= one for lead, one in zip(leads, near, strict=True))
            counts["answers_agree"] += agree
            counts["clear"] += clear
            counts["both"] += clear and agree
            behind = max(rows[1]) - rows[1][answers[0]]
            counts["in_top_set"] += answers[1] == -1 if answers[0] == -1 else behind**2 <= near[1]
            counts["network_right"] += answers[0] == product[x, y]
            counts["program_right"] += answers[1] == product[x, y]
    found: dict[str, Fraction | None] = {name: Fraction(count, n * n) for name, count in counts.items()}
    both = counts["both"]
    found["agree_when_clear"] = Fraction(both, counts["clear"]) if counts["clear"] else None
    total, rest = ((centred(one) ** 2).sum() for one in (sides[0], sides[0] - sides[1]))
    found["logit_fve"] = 1 - rest / Fraction(total) if total else None
    return found


def hostile(rng: np.random.Generator, n: int) -> Weights:
    """A random network, made difficult: ties, dead neurons, neurons that cancel, a common bias, any scale, squares."""
    m = int(rng.integers(1, 6))
    whole = rng.random() < 0.5
    left, right, votes = (np.rint(2 * a) if whole else a for a in (rng.standard_normal(s) for s in ((n, m), (n, m), (m, n))))
    bias = np.rint(rng.standard_normal(n)) * (rng.random() < 0.5)
    if rng.random() < 0.3:  # dead with relu
        left[:, 0] = -np.abs(left[:, 0])
        right[:, 0] = -np.abs(right[:, 0])
    if rng.random() < 0.3:  # ties
        votes[:, 1], bias[1] = votes[:, 0], bias[0]
    if rng.random() < 0.5:  # two neurons with opposite votes
        one, other, huge = (rng.standard_normal(size) for size in ((n, 1), (n, 1), (1, n)))
        huge = huge * 2.0 ** int(rng.choice([10, 40, 60, 100]))
        left, right, votes = np.hstack([left, one, one]), np.hstack([right, other, other]), np.vstack([votes, huge, -huge])
    if rng.random() < 0.3:
        bias = bias + rng.choice([1e30, 2.0**60, 3.0])
    a, b = (2.0 ** int(rng.choice([-100, 0, 100])) for _ in range(2))
    if rng.random() < 0.2:
        return Weights.from_arrays(left * a, right * a, votes * b, bias * a**2 * b, activation="square")
    return Weights.from_arrays(left * a, right * a, votes * b, bias * a * b)


def pairs_of_networks(count: int) -> list[tuple[np.ndarray, Weights, Weights]]:
    """The table of products, a network and one that differs from it by what an intervention does, or by everything."""
    rng, found = np.random.default_rng(0), []
    for _ in range(count):
        group = GROUPS[int(rng.integers(len(GROUPS)))]
        network = hostile(rng, group.order)
        kind = rng.integers(4)
        if kind == 0:
            program = network.select(np.flatnonzero(rng.random(network.width) < 0.7))
        elif kind == 1:
            program = flip_signs(True, False)(network)
        elif kind == 2 and network.activation == "relu":
            program = absolute_value(network)
        else:
            program = hostile(rng, group.order)
        found.append((group.mul, network, program))
    return found


def holds(found: Comparison, true: dict[str, Fraction | None]) -> None:
    """Each figure is what is true, or says that it is not known and states an interval with the truth in it."""
    for name in SHARES:
        value, truth = getattr(found, name), true[name]
        if name in found.between:
            low, high = found.between[name]
            assert value is None
            assert low < high <= low + WIDE
            assert truth is not None
            assert low <= float(truth) <= high, name
        elif name not in found.not_known:
            assert value == (None if truth is None else float(truth)), name
    truth = true["logit_fve"]
    if "logit_fve" in found.between:
        assert truth is not None
        assert found.between["logit_fve"][0] <= float(truth) <= found.between["logit_fve"][1]
    elif "logit_fve" not in found.not_known:
        assert np.isnan(found.logit_fve) if truth is None else found.logit_fve == pytest.approx(float(truth), abs=SHARP, rel=1e-9)


def test_figures_of_hostile_networks_are_those_of_fractions() -> None:
    """Integers have time for all pairs of small groups, so every share is known."""
    for product, network, program in pairs_of_networks(60):
        found = compare(network, program, product)
        assert (found.between, found.not_known) == ({}, ())
        holds(found, plainly(network, program, product))


@pytest.mark.parametrize("work", [bounded_logits.WORK, 40, 0])
def test_logits_kept_from_the_first_look_are_those_computed_again(work: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Comparisons x by x that keep no blocks, at most three, or all; networks need integers or do not, and work may be little."""
    monkeypatch.setattr(bounded_logits, "ENTRIES", 1)
    monkeypatch.setattr(BoundedLogits.blocks, "__defaults__", (work,))
    calls = []

    def counted(network: BoundedLogits, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        calls.append(rows.tolist())
        return plain(network, rows)

    plain = BoundedLogits._logits
    monkeypatch.setattr(BoundedLogits, "_logits", counted)
    needed = []
    for product, network, program in pairs_of_networks(30):
        found = []
        for kept in (0, 3 * network.order**2, 10**6):
            monkeypatch.setattr(bounded_logits, "KEPT", kept)
            calls.clear()
            found.append(repr(compare(network, program, product)))
            needed.append(len(calls) / network.order)
        assert found[0] == found[1] == found[2]
    # two networks of at most eight x, all of which are looked at twice; without integers nothing is known to need none
    assert max(needed) == 4
    assert (min(needed[2::3]), min(needed[1::3]) < 4) == ((2, True) if work else (4, False))


def test_intervals_hold_the_truth_where_integers_have_no_time(monkeypatch) -> None:
    monkeypatch.setattr(BoundedLogits.blocks, "__defaults__", (0,))
    shares, intervals = [], []
    for product, network, program in pairs_of_networks(120):
        found = compare(network, program, product)
        holds(found, plainly(network, program, product))
        shares += [name for name in SHARES if name in found.not_known]
        intervals += list(found.between)
    assert len(shares) > 50
    assert len(intervals) > 5


def cancelling(times: float, bias: float = 0.0) -> Weights:
    """Right on all of S3: 36 neurons, one for each pair, and two that cancel."""
    group = GROUPS[0]
    x, y = np.divmod(np.arange(36), 6)
    left, right = np.eye(6)[:, x], np.eye(6)[:, y] - 1
    votes = np.eye(6)[group.mul[x, y]]
    huge = np.array([[3.0, 1, 4, 1, 5, 9]]) * times
    return Weights.from_arrays(
        np.hstack([left, np.full((6, 2), 0.7)]),
        np.hstack([right, np.full((6, 2), 0.4)]),
        np.vstack([votes, huge, -huge]),
        np.full(6, bias),
    )


@pytest.mark.parametrize(("times", "bias"), [(1.0, 0.0), (1e30, 0.0), (1.0, 1e30), (1e30, 1e30)])
def test_neurons_that_cancel_change_no_share(times: float, bias: float) -> None:
    """The rest answers xy by a lead of 1 everywhere; the root mean square is that of one 1 among six."""
    network = cancelling(times, bias)
    found = compare(network, network, GROUPS[0].mul)
    assert (found.network_right, found.clear, found.agree_when_clear, found.in_top_set, found.logit_fve) == (1, 1, 1, 1, 1)
    assert (found.between, found.not_known) == ({}, ())


def test_one_vote_less_is_one_pair_less() -> None:
    """Beside 10^30 the vote of one pair goes to another output, or to none."""
    network, product = cancelling(1e30), GROUPS[0].mul
    votes = network.U.copy()
    votes[7] = np.roll(votes[7], 1)
    moved = Weights.from_arrays(network.L, network.R, votes, network.b)
    assert compare(network, moved, product).program_right == compare(network, moved, product).answers_agree == 35 / 36
    votes[7] = 0
    gone = Weights.from_arrays(network.L, network.R, votes, network.b)
    found = compare(network, gone, product)
    assert (found.program_right, found.clear, found.answers_agree, found.in_top_set) == (35 / 36, 35 / 36, 35 / 36, 1)


def test_what_floats_cannot_know_and_integers_have_no_time_for_is_not_known(monkeypatch) -> None:
    monkeypatch.setattr(BoundedLogits.blocks, "__defaults__", (0,))
    network = cancelling(1e30)
    found = compare(network, network, GROUPS[0].mul)
    assert set(found.not_known) == {*SHARES, "logit_fve"}
    assert np.isnan(found.logit_fve)
    assert [getattr(found, name) for name in SHARES] == [None] * len(SHARES)


def test_some_time_gives_an_interval(monkeypatch) -> None:
    """Of 36 pairs integers decide all but two or three; 38 + 1 products for each of 6 outputs of a pair."""
    monkeypatch.setattr(BoundedLogits.blocks, "__defaults__", (33 * 4 * 6,))
    found = compare(cancelling(1e30), cancelling(0.0), GROUPS[0].mul)
    assert (found.network_right, found.program_right) == (None, 1)
    low, high = found.between["network_right"]
    assert 1 - WIDE <= low < high == 1


def test_bounds_hold_every_difference_of_logits() -> None:
    """Against fractions, pair by pair, without any exact ones; and somewhere the bound is needed."""
    rng, worst = np.random.default_rng(1), 0.0
    for _ in range(60):
        weights = hostile(rng, 6)
        exact = exact_logits(weights).reshape(36, 6)
        (block,) = BoundedLogits(weights).blocks(np.arange(6), rows_at_once(weights) * 6, work=0)
        for pair in range(36):
            error = block.error[pair]
            for z in range(1, 6):
                difference = Fraction(float(block.logits[pair, z])) - Fraction(float(block.logits[pair, 0]))
                off = abs(difference - (exact[pair, z] - exact[pair, 0]))
                assert error == np.inf or off <= Fraction(float(error))
                worst = max(worst, float(off / Fraction(float(error)))) if 0 < error < np.inf else worst
    assert 0.01 < worst <= 1


def test_products_are_counted(monkeypatch) -> None:
    """A pass stops within one pair of its work."""
    weights = cancelling(1e30)
    done: list[int] = []
    plain = bounded_logits._Exact._distances

    def counted(self, x, y, chosen):
        done.append(len(chosen))
        return plain(self, x, y, chosen)

    monkeypatch.setattr(bounded_logits._Exact, "_distances", counted)
    for work, pairs in ((0, 0), (1, 1), (4 * 6 + 1, 2), (1 << 24, 36)):
        done.clear()
        blocks = list(BoundedLogits(weights).blocks(np.arange(6), 6, work))
        assert len(done) == pairs == int(blocks[0].decided.sum())
        assert set(done) <= {6}


def test_the_one_element_of_a_group_is_always_right() -> None:
    one = parse_group("C1")
    network = Weights.from_arrays([[1.0]], [[1.0]], [[1e30]])
    found = compare(network, network, one.mul)
    assert (found.network_right, found.clear, found.in_top_set, found.not_known) == (1, 1, 1, ())


@pytest.mark.parametrize("times", [0.0, 1.0, 1e30])
def test_losses_beside_neurons_that_cancel(times: float, monkeypatch) -> None:
    """A lead of 1 over five others loses log(1 + 5 / e), whatever cancels; without integers it is not known where floats lose it."""
    product = GROUPS[0].mul
    assert mean_loss(cancelling(times), product) == pytest.approx(np.log1p(5 / np.e), rel=1e-9)
    analysis = Analysis(folded_network(GROUPS[0], cancelling(times)), Options(timeout_s=0))
    claim = Intervention(id="loss", surgery="none", metric="loss")
    assert claim.decide(Subject(analysis)).verdict == "MEASURED"
    monkeypatch.setattr(BoundedLogits.blocks, "__defaults__", (0,))
    lost = times == 1e30
    assert np.isnan(mean_loss(cancelling(times), product)) == lost
    told = claim.decide(Subject(analysis))
    assert told.verdict == ("UNKNOWN" if lost else "MEASURED")
    assert ("not known" in told.finding) == lost


def test_a_run_says_what_is_not_known(monkeypatch, tmp_path) -> None:
    """Of interventions on a network whose neurons cancel: with integers the report has all figures, without them it has words."""
    weights = cancelling(1e30)
    arrays = (weights.L, weights.R, weights.U)
    settled = verify.analyse(arrays, "S3", order="lexicographic", product="left-first", timeout_s=0)
    rows = {row.name: row for row in settled.summary.counterfactuals}
    assert not any(row.between or row.not_known for row in rows.values())
    assert rows["exchange inputs"].network_right == 0.5  # yx = xy on 3 of 6 classes' share of all pairs

    monkeypatch.setattr(BoundedLogits.blocks, "__defaults__", (0,))
    open_ = verify.analyse(arrays, "S3", order="lexicographic", product="left-first", timeout_s=0)
    row = next(row for row in open_.summary.counterfactuals if row.name == "exchange inputs")
    assert row.network_right is None
    assert {"network_right", "logit_fve", "answers_agree_clear"} <= set(row.not_known)
    open_.write(tmp_path / "run")
    assert "| exchange inputs | not known |" in (tmp_path / "run" / "report-circuits.md").read_text()

"""No verdict says more than was decided: open bounds, vacuous claims, programs that fit nothing, names with two meanings."""

import json
import re
from fractions import Fraction
from pathlib import Path

import msgspec
import numpy as np
import pytest

import verify
from algebra.characters.character_table import character_table
from algebra.group import parse_group
from net.errors import MalformedInput
from net.folded import folded_network
from net.formats.folded_arrays import save_folded
from net.planted import planted_network
from net.weights import Weights
from verify.claims.ablation_claims import ByIrrep, ByKind
from verify.claims.claim import Bounded, Mistake, told_apart
from verify.claims.decide import decide_claims, open_subject
from verify.claims.network_claims import Accuracy, Intervention
from verify.claims.neuron_claims import irrep_residual
from verify.claims.render import counterexample_words, render
from verify.claims.schema import KINDS, ClaimsFile, read_claims
from verify.claims.subject import Subject
from verify.cli import execute
from verify.exit_codes import ExitCode

S3 = parse_group("S3")


class Number(Bounded, frozen=True, kw_only=True, tag="number"):
    """A claim about a number, for tests."""

    def quantity(self) -> str:
        """The number."""
        return "the number"

    def attainable(self) -> tuple[Fraction, Fraction | None]:
        """At least 0."""
        return Fraction(0), None


def by_definition(low, high, least, most):
    """The verdict on at_least/at_most from the definition: over a fine grid of values that the number may have."""
    steps = [Fraction(low) + (Fraction(high) - Fraction(low)) * k / 64 for k in range(65)]
    fits = [(least is None or v >= least) and (most is None or v <= most) for v in steps]
    too_small, too_large = (all(v < least for v in steps) if least is not None else False), (most is not None and min(steps) > most)
    return "PROVED" if all(fits) else "REFUTED" if too_small or too_large else "UNKNOWN"


#: (at_least, at_most), one of them at least
BOUNDS = [(a, b) for a in (None, 0, 1, 2, 3) for b in (None, 1, 2, 3, 4) if (a or 0) <= (b or 9) and (a, b) != (None, None)]


@pytest.mark.parametrize("low", range(5))
@pytest.mark.parametrize("width", range(3))
@pytest.mark.parametrize(("least", "most"), BOUNDS)
def test_a_number_of_which_only_bounds_are_known(low, width, least, most):
    """PROVED, REFUTED or UNKNOWN as every value in between says, and the counterexample is asked for in the right direction."""
    asked = []
    outcome = Number(at_least=least, at_most=most).decided_between(
        Fraction(low), Fraction(low + width), "found", lambda small: asked.append(small) or {"instances": [1]}
    )

    assert outcome.verdict == by_definition(low, low + width, least, most)
    assert asked == ([low + width < least if least is not None else False] if outcome.verdict == "REFUTED" else [])


@pytest.mark.parametrize("exactly", [0, 1, 2])
def test_exactly_is_open_between_bounds(exactly):
    """A number between 1 and 2 may be 1 or 2, and is not 0."""
    outcome = Number(exactly=exactly).decided_between(Fraction(1), Fraction(2), "found", lambda _: {"neurons": [3]})

    assert outcome.verdict == ("REFUTED" if exactly == 0 else "UNKNOWN")
    assert (outcome.counterexample or {}).get("neurons") == ([3] if exactly == 0 else None)


def two_close_neurons():
    """A network over S3 with two neurons whose least C_H lie within rounding of a threshold, exactly one of them below, and that."""
    rng = np.random.default_rng(1)
    f = rng.normal(size=6)
    subject = Subject(planted_network(S3, seed=0, width=24).network)
    for k in range(1, 200):
        g = f.copy()
        g[3] += k * np.spacing(f[3])
        pair = sorted([least_c(f), least_c(g)])
        below = float((pair[0] + pair[1]) / 2)
        if pair[0] < Fraction(below) < pair[1]:
            break
    else:
        raise AssertionError("no threshold between the two")
    w = subject.weights
    L, R = np.hstack([w.L, np.stack([f, g], axis=1)]), np.hstack([w.R, np.zeros((6, 2))])
    weights = Weights.from_arrays(L, R, np.vstack([w.U, np.ones((2, 6))]), w.b)
    return Subject(with_weights(subject.network, weights)), below


def with_weights(network, weights):
    """The network with other weights."""
    import dataclasses

    return dataclasses.replace(network, weights=weights)


def least_c(f):
    """The least over the proper nontrivial H of C_H(f), ddof 1, on right cosets, in fractions."""
    f = [Fraction(float(v)) for v in f]

    def variance(values):
        mean = sum(values) / len(values)
        return sum((v - mean) ** 2 for v in values) / (len(values) - 1)

    mul = S3.mul
    proper = [[0, g] for g in range(1, 6) if mul[g, g] == 0] + [[g for g in range(6) if mul[mul[g, g], g] == 0]]
    found = []
    for H in proper:
        cosets = {tuple(sorted(int(mul[h, x]) for h in H)) for x in range(6)}
        found.append(sum(variance([f[g] for g in coset]) for coset in cosets))
    return min(found) / variance(f)


def test_neurons_within_rounding_of_the_threshold_leave_the_count_open(claim):
    """Counts that rounding leaves open are UNKNOWN; those on either side of what is possible are decided, with neurons to show."""
    subject, below = two_close_neurons()
    count = {"of": "left", "among": "all", "count": True, "below": below}
    true = sum(least_c(column) >= Fraction(below) for column in subject.weights.L.T)
    total = subject.weights.width

    for bounds in ({"exactly": true}, {"at_least": true, "at_most": true}, {"at_least": true}):
        assert claim("concentrated", **count, **bounds).decide(subject).verdict in ("UNKNOWN", "PROVED")
    few = claim("concentrated", **count, at_least=total + 1).decide(subject)
    assert few.verdict == "REFUTED"
    assert few.counterexample["neurons"]


PROGRAM = {"format": "coset-voting program 1", "subgroups": [], "preactivation_bits": 0, "vote_bits": 0, "bias": [], "circuits": []}
RECORD = {"name": "S3", "degree": 3, "order": 6, "generators": ["(1 2 3)", "(1 2)"]}
FREE = {"on": "elements", "subgroups": [], "kernels": []}


def saved_program(folder, group, indices=()):
    neurons = [{"index": k, "left": [0] * 6, "right": [0] * 6, "votes": [0] * 6} for k in indices]
    circuits = [{"left": FREE, "right": FREE, "votes": FREE, "neurons": neurons}] if neurons else []
    (folder / "p.json").write_text(json.dumps(PROGRAM | {"group": group, "circuits": circuits}))


def test_a_program_without_neurons_is_not_the_mechanism(tmp_path, claim):
    """Neurons that the program leaves out count with their whole preactivation; dead ones do not."""
    network = planted_network(S3, seed=2, width=24, kinds={"dead": 2}).network
    subject = Subject(network, tmp_path)
    saved_program(tmp_path, RECORD)
    outcome = claim("program", program="p.json", level="mechanism", at_most=0).decide(subject)

    live = [i for i in range(24) if not subject.dead[i]]
    sums = network.weights.L[:, None, live] + network.weights.R[None, :, live]
    assert outcome.verdict == "REFUTED"
    assert Fraction(outcome.counterexample["value"]) == Fraction(float(np.abs(sums).max()))
    i = outcome.counterexample["neuron"]
    x, y = (S3.index_of(S3_WORDS[outcome.counterexample[key]]) for key in "xy")
    assert abs(network.weights.L[x, i] + network.weights.R[y, i]) == float(Fraction(outcome.counterexample["value"]))


S3_WORDS = {S3.word(g): tuple(int(i) for i in S3.elements[g]) for g in range(6)}


@pytest.mark.parametrize(
    ("group", "indices", "says"),
    [
        ({"name": "C2xC3", "degree": 5, "order": 6, "generators": ["(1 2)", "(3 4 5)"]}, (), "got one for C2xC3"),
        (RECORD | {"name": "C6"}, (), "C6"),
        (RECORD | {"generators": ["(1 2 3)"]}, (), "as generated by"),
        (RECORD, (-1,), "got -1"),
        (RECORD, (0, 0), "got 0 twice"),
        (RECORD, (9999,), "got 9999"),
    ],
)
@pytest.mark.parametrize("level", ["answers", "mechanism", "neurons"])
def test_a_program_for_something_else_is_a_mistake(group, indices, says, level, tmp_path, claim):
    """Another group under any name, neurons that are not there, negative ones, one twice: a mistake at every level."""
    subject = Subject(planted_network(S3, seed=2, width=24).network, tmp_path)
    saved_program(tmp_path, group, indices)
    with pytest.raises(Mistake, match=says):
        claim("program", program="p.json", level=level).decide(subject)


@pytest.mark.parametrize(
    "text",
    [
        'kind = "accuracy"\nat_least = 0',
        'kind = "accuracy"\nat_most = 1.0',
        'kind = "compact proof"\nat_least = 0.0\nat_most = 1',
        'kind = "coset neurons"\nsubgroup = "A3"\nat_least = 0',
        'kind = "on cosets"\nneuron = 0\nof = "left"\nsubgroup = "C3"\nwithin = 0.5',
        'kind = "on irrep"\nneuron = 0\nof = "left"\nirrep = "(2,1)"\nwithin = 1.0',
        'kind = "equivariance"\nunder = []',
    ],
)
def test_what_no_network_can_fail_is_a_mistake(text, tmp_path):
    """A bound that holds of every network is refused before any network is read, with the claim's id."""
    (tmp_path / "c.toml").write_text(f'[[claims]]\nid = "empty-words"\n{text}\n')
    with pytest.raises(MalformedInput, match=r"claims\[0\].*empty-words"):
        read_claims(tmp_path / "c.toml")


def test_a_file_that_is_no_program_is_said_to_be_none(s5, tmp_path, claim):
    """The mistake is in the file, not in its path."""
    (tmp_path / "x.json").write_text("{}")

    with pytest.raises(Mistake, match=r"expected a program in .*x\.json, got: Object missing required field"):
        claim("program", program=str(tmp_path / "x.json")).decide(s5)


def test_half_of_the_range_is_kept_by_every_function():
    """The reason for the bound on ``within``: the middle of the range is within half of it of every value."""
    f = np.random.default_rng(3).normal(size=50)
    middle = (f.max() + f.min()) / 2

    assert np.abs(f - middle).max() <= 0.5 * np.ptp(f) * (1 + 1e-12)


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        ('kind = "acuracy"', "$.claims[0].kind", ["accuracy", "did you mean 'accuracy'?"]),
        ('kind = "accuracy"\nat_lest = 1', "$.claims[0]", ["at_least", "did you mean 'at_least'?"]),
        (
            'kind = "intervention"\nsurgery = "flip lft"',
            "$.claims[0].surgery",
            ["flip left", "swap embeddings", "did you mean 'flip left'?"],
        ),
        ('kind = "ablation"\nneurons = { by = "kinds" }', "$.claims[0].neurons.by", ["random", "did you mean 'kind'?"]),
        ('kind = "ablation"\nneurons = { by = "kind", kinds = ["cosett"] }', "$.claims[0].neurons.kinds[0]", ["did you mean 'coset'?"]),
        ('kind = "equivariance"\nunder = ["lefft"]', "$.claims[0].under[0]", ["middle", "did you mean 'left'?"]),
        ('kind = "dead"\nneuron = -1', "$.claims[0].neuron", ["Expected `int` >= 0, got -1 -"]),
        ('kind = "rank one"\ntolerance = -0.5', "$.claims[0].tolerance", [">= 0.0, got -0.5 -"]),
        ('kind = "gcr"\nlevel = "logit"', "$.claims[0].level", ["cosine", "did you mean 'logits'?"]),
    ],
)
def test_a_mistake_names_what_is_allowed_the_nearest_and_the_claim(text, path, words, tmp_path):
    """The values or keys that would do, the nearest one, the path and the claim's id."""
    (tmp_path / "c.toml").write_text(f'[[claims]]\nid = "mine"\n{text}\n')
    with pytest.raises(MalformedInput) as caught:
        read_claims(tmp_path / "c.toml")

    assert all(word in str(caught.value) for word in [f"`{path}`", "(claim 'mine')", *words])


def test_a_network_of_yx_is_said_to_be_one(tmp_path):
    """Its claims are about the group's xy, which is yx in the file's own terms."""
    weights = planted_network(parse_group("S3"), seed=1, width=18).network.weights
    (tmp_path / "c.toml").write_text('[[claims]]\nkind = "accuracy"\n')
    claims = read_claims(tmp_path / "c.toml")
    for left, right, turned in ((weights.L, weights.R, False), (weights.R, weights.L, True)):
        subject = Subject(verify.analyse((left, right, weights.U), group="S3"), tmp_path)
        text = render(claims, decide_claims(tmp_path / "c.toml", claims, subject))
        assert "PROVED" in text
        assert ("xy here is yx in the file's own terms" in text.splitlines()[0]) == turned


def test_every_kind_says_what_it_decides(s5):
    """Each example's statement is made from its keys, never from the author's sentence."""
    for kind in KINDS:
        from tests.verify.claims.test_examples import FILES

        for one in read_claims(FILES[kind]).claims:
            said = msgspec.structs.replace(one, says="anything at all").statement()
            assert said == one.statement()
            assert len(said) > 20
            for key in ("at_least", "at_most", "exactly"):
                value = getattr(one, key, None)
                assert value is None or not isinstance(one, Bounded) or str(value) in said


def test_the_authors_words_are_quoted_on_one_line_and_after_the_decision(s5, tmp_path):
    """A sentence cannot forge a verdict; what was decided stands before it, in the tool's words."""
    says = 'a sentence\nPROVED   FORGED: "another claim"\u2028\x1b[2J'
    claims = ClaimsFile((Accuracy(id="a\nPROVED b", says=says, place="p\rq"),), title="t\nPROVED x")
    text = render(claims, decide_claims(tmp_path, claims, s5))
    lines = text.splitlines()

    assert [line for line in lines if line.startswith("PROVED")] == ["PROVED   a\\nPROVED b (p\\rq)"]
    assert lines[2].strip() == "decided: the share of all pairs (x, y) answered xy is at least 1"
    assert lines[-1].strip().startswith("the author says:")
    assert "\x1b" not in text
    assert len(lines) == 5


def test_one_conjugate_some_or_all(planted_s4, claim):
    """A class name means some conjugate, and says which were tried; a label means that one; "all" means each."""
    subject, neurons = planted_s4
    i, neuron = next((i, n) for i, n in enumerate(neurons) if n.kind == "coset" and n.left.order == 6)
    lattice = subject.lattice
    number = int(lattice.class_of[lattice.find(neuron.left.mask)])
    name, label = lattice.names[number], lattice.labels[lattice.find(neuron.left.mask)]
    keys = {"neuron": i, "of": "left", "within": 0}
    other = next(m for m in lattice.classes[number].members if lattice.labels[int(m)] != label)

    found = claim("on cosets", subgroup=name, **keys).decide(subject)
    assert found.verdict == "PROVED"
    assert label in found.finding
    assert "some conjugate, tried: " in found.finding
    assert claim("on cosets", subgroup=label, **keys).decide(subject).verdict == "PROVED"
    assert claim("on cosets", subgroup=lattice.labels[int(other)], **keys).decide(subject).verdict == "REFUTED"
    assert claim("on cosets", subgroup=lattice.labels[int(other)], conjugate="some", **keys).decide(subject).verdict == "PROVED"
    everyone = claim("on cosets", subgroup=name, conjugate="all", **keys).decide(subject)
    assert everyone.verdict == "REFUTED"
    assert "every conjugate, tried: " in everyone.finding
    with pytest.raises(Mistake, match="expected one subgroup, such as"):
        claim("on cosets", subgroup=name, conjugate="this", **keys).decide(subject)


def test_neurons_that_labels_picked_give_no_proof(planted_s4, claim):
    """By label the figure is measured, and the neurons are named; the same neurons by number give a proof."""
    subject, _ = planted_s4
    by_kind = claim("ablation", neurons=ByKind(kinds=("raw",)), at_least=0.5).decide(subject)
    picked = [label.index for label in subject.labels if label.kind == "raw"]
    from verify.claims.ablation_claims import ByNumber

    by_number = claim("ablation", neurons=ByNumber(neurons=tuple(picked)), at_least=0.5).decide(subject)

    assert (by_kind.verdict, by_number.verdict) == ("MEASURED", "PROVED")
    assert by_kind.agrees is True
    assert "measured labels" in by_kind.finding
    assert f"picked: {picked[0]}" in by_kind.finding


def test_sign_is_a_kind_of_neuron_and_no_subgroup(planted_s4, claim):
    """As a subgroup the word is refused, with the right one."""
    with pytest.raises(Mistake, match="even permutations"):
        claim("coset neurons", subgroup="sign", at_least=1).decide(planted_s4[0])


def test_a_file_that_changes_in_between_changes_no_verdict(tmp_path):
    """The verdict is about the weights that were read, whose digest the report has, and not about what the file holds later."""
    from safetensors.numpy import save_file

    rng, file = np.random.default_rng(0), tmp_path / "n.safetensors"
    w = planted_network(S3, seed=1, width=30).network.weights
    inner = np.ascontiguousarray(np.vstack([w.L, w.R]))
    tensors = {"W_x": np.eye(6), "W_y": np.eye(6), "W": inner, "W_U": np.ascontiguousarray(w.U)}
    save_file(tensors, file)
    claim = Intervention(surgery="swap embeddings", at_least=0.5)  # both embeddings are the identity, so nothing changes
    before = open_subject(file, "S3", tmp_path)
    save_file(tensors | {"W": rng.normal(size=(12, 30))}, file)

    assert claim.decide(before).verdict == "PROVED"


def test_long_fractions_are_shown_as_decimals():
    """The exact number stays in the report's JSON; people read six digits, and a sentence where there is one."""
    shown = {"residual": str(Fraction(12345678901234567, 2**60)), "value": "7/120", "words": "in words", "x": "(1 2)"}
    text = counterexample_words(shown)

    assert text == f"in words; residual = about {12345678901234567 / 2**60:.6g}, value = 7/120"


@pytest.mark.parametrize(("value", "shown"), [("1e400", "1e+400"), ("-1e400", "-1e+400"), ("7/3e500", "2.33333e-500"), ("0", "0")])
def test_numbers_beyond_a_float_are_shown_as_decimals(value, shown):
    """No float holds them: neither an error nor 0 comes instead."""
    numerator, _, denominator = value.partition("/")
    number = Fraction(numerator) / Fraction(denominator or 1)

    assert counterexample_words({"claimed": f"at_least {number}"}) == f"claimed = at_least {'about ' if number else ''}{shown}"


def test_a_bound_beyond_every_float_is_refuted(s5, claim):
    """At least 10^400 neurons: the claim is false, and the report on it is text."""
    found = decide_claims(Path("x"), ClaimsFile((claim("coset neurons", subgroup="F20", at_least="1e400"),)), s5)

    assert found.decisions[0].outcome.verdict == "REFUTED"
    assert "claimed = at_least about 1e+400" in render(ClaimsFile(()), found)


def test_the_tolerance_may_be_as_large_as_a_float(planted_s4, claim):
    """Every live neuron is constant on cosets up to 10^308 of its range."""
    subject, _ = planted_s4
    outcome = claim("coset neurons", subgroup="point stabiliser", within=1e308, at_least=1).decide(subject)

    assert (outcome.verdict, outcome.figure) == ("PROVED", (~subject.dead).sum())


def test_no_noise_is_no_noise_with_either_sign(s5, claim):
    """-0.0 is 0 as a deviation, and the claim says 0."""
    minus, plus = (claim("intervention", surgery="noise", deviation=zero) for zero in (-0.0, 0.0))

    assert minus.statement() == plus.statement()
    assert minus.decide(s5) == plus.decide(s5)


def test_a_loss_beyond_float64_is_said_to_be_so(s5, claim):
    """Noise of 10^308 makes logits whose differences no float64 holds."""
    finding = claim("intervention", surgery="noise", deviation=1e308).decide(s5).finding

    assert "loss beyond float64" in finding


def test_a_claims_file_with_an_idle_bound_ends_with_code_4(tmp_path, capfd):
    """The command's exit code for a claim that no network can fail."""
    save_folded(tmp_path / "n.safetensors", planted_network(S3, seed=1, width=30).network.weights)
    (tmp_path / "c.toml").write_text('[[claims]]\nkind = "accuracy"\nat_least = 0\nsays = "the network uses GCR and nothing else"\n')
    code = execute(["claims", str(tmp_path / "c.toml"), "--group", "S3", "--checkpoint", str(tmp_path / "n.safetensors"), "--quiet"])

    assert (code, capfd.readouterr().out) == (ExitCode.MALFORMED, "")


def _constant(group_name: str, **arrays: float) -> Subject:
    """A network of three neurons whose arrays are constant, all 0 but for those given."""
    group = parse_group(group_name)
    shapes = {"L": (group.order, 3), "R": (group.order, 3), "U": (3, group.order), "b": (group.order,)}
    parts = {name: np.full(shape, arrays.get(name, 0.0)) for name, shape in shapes.items()}
    return Subject(verify.analyse(parts, group=group_name, order="lexicographic", product="left-first"))


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("concentrated", {"at_least": 0.9}),
        ("concentrated", {"at_most": 0.1}),
        ("gcr", {"level": "logits", "at_least": 0.9}),
        ("gcr", {"level": "cosine", "at_least": 0.9}),
        ("gcr", {"level": "activations"}),
        ("gcr", {"level": "neurons", "at_least": 0.5}),
        ("gcr", {"level": "counterfactuals"}),
        ("votes", {"level": "logits", "weights": {"S2": 1.0}}),
        ("program", {"program": "readable", "level": "neurons"}),
        ("unembedding correlation", {}),
        ("switches", {"subgroup": "S2"}),
        ("rank one", {}),
        ("rho-sets", {}),
        ("irrep use", {"level": "used"}),
    ],
)
@pytest.mark.filterwarnings("error")
def test_a_share_of_no_neurons_is_neither_proved_nor_refuted_nor_measured(kind, keys, claim):
    """All neurons of a network of zeros are dead and its logits do not vary: there is nothing that a share could be of."""
    outcome = claim(kind, **keys).decide(_constant("S3"))

    assert outcome.verdict == "SKIPPED"
    assert "nan" not in outcome.finding


def test_the_key_irreps_of_a_trivial_group_are_none(claim):
    """The group of order 1 has no nontrivial irrep, so none can be the key one."""
    assert claim("gcr", irreps=("key",)).decide(_constant("C1")).verdict == "SKIPPED"


def test_conjugate_irreps_of_one_pair_are_counted_once(claim):
    """A real vote has the same share in a complex irrep and in its conjugate; both named are one quarter of the variance, not half."""
    group = parse_group("C5")
    angles = 2 * np.pi * np.arange(5) / 5  # element k of C5 in lexicographic order is a rotation by k points
    votes = np.cos(angles) * np.sqrt(0.3) + np.cos(2 * angles) * np.sqrt(0.7)
    parts = {"L": np.ones((5, 1)), "R": np.ones((5, 1)), "U": votes[None], "b": np.zeros(5)}
    subject = Subject(verify.analyse(parts, group="C5", order="lexicographic", product="left-first"))
    names = character_table(group).names[1:]
    shares = {name: irrep_residual(subject, *subject.side("votes"), name, "irrep")[0][0] for name in names}
    small = tuple(name for name in names if 1 - shares[name] < 0.4)

    assert len(small) == 2
    assert not ByIrrep(small).select(subject)[0].any()
    assert ByIrrep(names).select(subject)[0].all()


def test_a_finding_has_digits_enough_to_agree_with_its_verdict(claim):
    """A spread of 2 * 0.1000001 of the range is not within 0.1 of constant, and the sentence does not say that it is."""
    group = parse_group("S4")
    labels = np.where(group.elements[:, 0] == 0, 0.0, 1.0)
    f = 30.0 * labels
    f[(labels == 0) & (group.parity == 0)] += 6 + 2.0**-16
    subject = Subject(folded_network(group, Weights.from_arrays(f[:, None], -f[group.inv][:, None], np.arange(24.0)[None])))
    point = subject.lattice.labels[subject.lattice.find(group.elements[:, 0] == 0)]
    keys = {"neuron": 0, "of": "left", "subgroup": point}
    refuted, proved = (claim("on cosets", **keys, within=within).decide(subject) for within in (0.1, 0.11))
    assert (refuted.verdict, proved.verdict) == ("REFUTED", "PROVED")
    said = [re.search(r"within (\S+) x range", outcome.finding)[1] for outcome in (refuted, proved)]
    assert float(said[0]) > 0.1
    assert said[1] == "0.1"


def test_digits_of_a_figure_beside_bounds():
    """Three, or so many more that the decimal is on the same side of each bound."""
    third = Fraction(1, 3)
    assert told_apart(third) == "0.333"
    assert told_apart(third, Fraction(333, 1000)) == "0.3333"
    assert told_apart(Fraction("0.05000000001"), Fraction(1, 20)) == "0.05000000001"
    assert told_apart(Fraction("0.04999999999"), Fraction(1, 20)) == "0.05"
    assert told_apart(Fraction(123456), Fraction(1)) == "123000"
    assert told_apart(Fraction(0), Fraction(0)) == "0"
    assert told_apart(Fraction(1, 10**30), Fraction(0)) == "1e-30"


def test_a_compact_proof_of_nothing_speaks_of_no_operations(claim):
    """No pair is proved of a network that is right nowhere; where pairs are, the share of the operations stands beside them."""
    group = parse_group("S3")
    nothing = Subject(folded_network(group, Weights.from_arrays(np.zeros((6, 2)), np.zeros((6, 2)), np.ones((2, 6)))))
    assert claim("compact proof").decide(nothing).finding == "0 of 36 pairs proved"
    right = Subject(planted_network(parse_group("S4"), seed=1, width=40).network)
    assert re.fullmatch(
        r"\d+ of 576 pairs proved, with (1/[\d.]+ of the operations|more operations than evaluation)",
        claim("compact proof").decide(right).finding,
    )

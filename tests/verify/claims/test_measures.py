"""GCR's shares, losses, concentration, rho-sets and the surgeries, each against its definition on small networks."""

from fractions import Fraction

import numpy as np
import pytest

from algebra.characters.character_table import character_table
from algebra.characters.irrep import irreps
from algebra.group import parse_group
from algebra.lattice import subgroups
from net.bundled import bundled_checkpoint
from net.checkpoint import load_network, read_checkpoint
from net.errors import MalformedInput
from net.folded import folded_network
from net.planted import planted_network
from net.weights import Weights
from verify.claims.algorithm_claims import explained_by
from verify.claims.subject import Subject
from verify.compare.answers import logit_blocks
from verify.compare.concentration import concentration, residual_bounds
from verify.compare.gcr import activation_fve, logit_cosines, logit_fve
from verify.compare.interventions import _mean_activation, _rounded, add_noise, embeddings_swapped, exchange_inputs, remove, set_to_mean
from verify.compare.loss import cross_entropy, mean_loss
from verify.compare.restricted import restricted_excluded
from verify.compare.rho_sets import rho_set_fit
from verify.exact.exhaustive import evaluate


def noisy(name, seed=3, width=40):
    return planted_network(parse_group(name), seed=seed, width=width, noise=0.1).network


def logits_of(weights):
    """All logits (n, n, n) in float64."""
    x, y = np.meshgrid(np.arange(weights.order), np.arange(weights.order), indexing="ij")
    return weights.logits(x, y)


def cube(group, phi):
    """phi(a b c^-1) for all a, b, c."""
    return phi[group.mul[group.mul[:, :, None], group.inv[None, None, :]]]


@pytest.mark.parametrize("name", ["S3", "S4", "A4"])
def test_gcr_shares_are_the_squared_cosines_with_the_character_cubes(name):
    """Per irrep, against the cube written out; A4 has complex characters."""
    network = noisy(name)
    group, table = network.group, character_table(network.group)
    logits = logits_of(network.weights)
    logits = logits - logits.mean(axis=2, keepdims=True)
    found, cosines = logit_fve(network), logit_cosines(network)

    for irrep, values in list(zip(table.names, table.values, strict=True))[1:]:
        target = cube(group, values[group.class_of])
        cosine = (logits * target.conj()).sum() / np.linalg.norm(logits) / np.linalg.norm(target)
        assert found.per_irrep[irrep] == pytest.approx(abs(cosine) ** 2, abs=1e-6)
        assert abs(cosines[irrep]) == pytest.approx(abs(cosine), abs=1e-4)
    assert found.total == pytest.approx(sum(found.per_irrep.values()))
    assert found.total < 1


def test_a_network_that_is_gcr_has_all_of_its_logits_explained():
    """Logits that are a function of abc^-1 alone, here counts of shared points, lie in the cubes: total 1, and in one irrep."""
    group = parse_group("S4")
    points = np.arange(4)
    i, c, k = (axis.ravel() for axis in np.meshgrid(points, points, points, indexing="ij"))
    L = (group.elements[:, i] == c).astype(float)
    R = (group.elements[:, c] == k).astype(float) - 1
    network = folded_network(group, Weights.from_arrays(L, R, (group.elements[:, i] == k).T.astype(float)))
    found = logit_fve(network)
    fixed = (group.elements == points).sum(axis=1).astype(float)

    assert found.total == pytest.approx(1, abs=1e-6)
    assert found.per_irrep["(3,1)"] == pytest.approx(1, abs=1e-6)
    assert explained_by(Subject(network), fixed) == pytest.approx(1, abs=1e-6)


def test_activation_share_is_the_projection_on_functions_of_ab():
    """Against the means over pairs with one product, projected on each isotypic component."""
    network = noisy("S4")
    group, w = network.group, network.weights
    hidden = np.maximum(w.L[:, None] + w.R, 0)
    means = np.zeros((group.order, w.width))
    np.add.at(means, group.mul.ravel(), hidden.reshape(-1, w.width) / group.order)
    variance = hidden.reshape(-1, w.width).var(axis=0).sum()

    for rho in irreps(group)[1:]:
        chi = np.trace(rho.matrices, axis1=1, axis2=2)
        project = rho.dimension / group.order * chi[group.mul[:, group.inv]]
        share = ((project @ means) ** 2).sum() / group.order / variance
        assert activation_fve(network)[rho.name] == pytest.approx(share, abs=1e-6)


def test_restricted_and_excluded_losses_by_definition():
    """Cross-entropy of the projection on the cubes, and of the logits without it."""
    network = noisy("S4")
    group = network.group
    logits, target = logits_of(network.weights), group.mul
    names = ("(3,1)", "(1,1,1,1)")
    table = character_table(group)
    kept = np.zeros_like(logits)
    for name in names:
        phi = cube(group, table.values[table.names.index(name)].real[group.class_of])
        kept += (logits * phi).sum() / (phi**2).sum() * phi

    def loss(z):
        z = z - z.max(axis=2, keepdims=True)
        own = np.take_along_axis(z, target[..., None].astype(int), axis=2)[..., 0]
        return float((np.log(np.exp(z).sum(axis=2)) - own).mean())

    found = restricted_excluded(network, names)
    assert found == pytest.approx((loss(logits), loss(kept), loss(logits - kept)), rel=1e-4)
    assert mean_loss(network.weights, target) == pytest.approx(loss(logits), rel=1e-4)


def test_tiny_losses_keep_their_digits():
    """A lead of 40 over two rivals loses log(1 + 2 e^-40), far below the rounding of 1."""
    row = np.array([[40.0, 0.0, 0.0], [0.0, 3.0, 0.0]])

    assert cross_entropy(row[:1].copy(), np.array([0])) == pytest.approx(2 * np.exp(-40.0), rel=1e-12)
    assert cross_entropy(row.copy(), np.array([0, 0])) == pytest.approx(np.log(np.exp(3) + 2), rel=1e-12)


def exact_concentration(column, labels):
    """C_H by Fractions."""
    values = [Fraction(float(v)) for v in column]

    def variance(part):
        mean = sum(part) / len(part)
        return sum((v - mean) ** 2 for v in part) / (len(part) - 1)

    groups = {}
    for value, label in zip(values, labels, strict=True):
        groups.setdefault(label, []).append(value)
    return sum(variance(part) for part in groups.values()) / variance(values)


@pytest.mark.parametrize("side", ["right", "left"])
def test_concentration_bounds_hold_the_exact_value(planted_s4, side):
    """For all subgroups of S4 and a few neurons of each kind, and the bounds are tight to 1e-9."""
    subject, neurons = planted_s4
    columns = [next(i for i, n in enumerate(neurons) if n.kind == kind) for kind in ("coset", "twisted", "sign", "raw", "dual")]
    found = concentration(subject.lattice, *(part[..., columns] for part in subject.side("left")), side)

    for row, number in enumerate(found.subgroup):
        subgroup = subject.lattice.all[number]
        labels = (subgroup.right_cosets if side == "right" else subgroup.left_cosets).labels
        for column, neuron in enumerate(columns):
            exact = exact_concentration(subject.weights.L[:, neuron], labels)
            assert Fraction(found.low[row, column]) <= exact <= Fraction(found.high[row, column])
            assert found.high[row, column] - found.low[row, column] <= 1e-9 * max(1, float(exact))


def test_concentration_of_noise_is_about_the_index():
    """The published sum is about [G:H] for noise, so its least value is about 2, of A_n; the normalised form is about 1."""
    lattice = subgroups(parse_group("S4"))
    noise = np.random.default_rng(0).standard_normal((24, 400))
    found = concentration(lattice, noise, np.zeros(400), "right")

    assert found.low.mean(axis=1) == pytest.approx(found.index, rel=0.1)
    assert np.median(found.least()[0]) == pytest.approx(2, rel=0.2)


@pytest.mark.parametrize("power", [-1070, -530, -512, 600, 1000])
def test_the_bounds_of_a_function_are_those_of_its_multiples(power):
    """Squares of these have no float64, or one of few digits."""
    lattice = subgroups(parse_group("S4"))
    function = np.random.default_rng(1).integers(-9, 10, (24, 3)).astype(float)
    found, scaled = (
        concentration(lattice, np.ldexp(function, k), np.ldexp(np.array([0.0, 1.0, 64.0]), k), "right") for k in (0, power)
    )
    assert (scaled.low == found.low).all()
    assert (scaled.high == found.high).all()
    assert np.isfinite(found.high).all(axis=0).tolist() == [True, True, False]


@pytest.mark.parametrize("shift", [1.0, -(2.0**600), 1.5e308])
def test_a_function_that_varies_little_beside_its_mean_is_known(shift):
    """One that is 1 and the next float on cosets, and one that changes in the last place anywhere."""
    lattice = subgroups(parse_group("S4"))
    next_one = np.nextafter(shift, np.inf)
    rng = np.random.default_rng(2)
    functions = np.where(rng.random((24, 2)) < 0.5, shift, next_one)
    number = next(k for k, one in enumerate(lattice.all) if one.order == 6)
    functions[:, 0] = np.where(lattice.all[number].right_cosets.labels == 0, shift, next_one)
    found = concentration(lattice, functions, np.zeros(2), "right")
    for row, k in enumerate(found.subgroup):
        for column in range(2):
            exact = exact_concentration(functions[:, column], lattice.all[k].right_cosets.labels)
            assert Fraction(found.low[row, column]) <= exact <= Fraction(found.high[row, column])
    assert found.high[found.subgroup == number, 0] < 1e-9


def test_what_errors_may_be_all_of_is_open_and_what_is_constant_is_not():
    """Integers decide where floats with an error do not."""
    group = parse_group("S3")
    lattice = subgroups(group)
    function = np.arange(6.0)[:, None] * 2.0**-60 + np.array([[0.0, 0.0, 1.0]])
    found = concentration(lattice, function, np.array([0.0, 2.0**-58, 0.0]), "right")
    assert np.isfinite(found.high[:, 0]).all()
    assert (found.low[:, 1] == 0).all()
    assert np.isinf(found.high[:, 1]).all()
    assert np.isinf(found.low[:, 2]).all()
    flat, votes = np.ones((6, 2)), np.arange(12.0).reshape(2, 6)
    exact = Weights.from_arrays(flat, flat + np.arange(6)[:, None] * 2.0**-52, votes)
    weights = Weights(flat, flat, votes, np.zeros(6), np.full(2, 2.0**-40), np.full(2, 2.0**-40), 0.0, 0.0, exact.exact)
    subject = Subject(folded_network(group, weights))
    assert np.isinf(subject.concentration("left", "right").low).all()
    assert (subject.concentration("right", "left").low == 0).all()


def test_residual_bounds_grow_with_the_error():
    """A function known up to a tenth of its length has a share known up to about twice that in square root."""
    low, high = residual_bounds(np.array([0.75]), np.array([0.1]), 24)

    assert low[0] == pytest.approx(0.3**2)
    assert high[0] == pytest.approx(0.7**2)


def test_rho_set_form_is_found_where_it_was_planted():
    """L = b rho(x) a, R = -a rho(y) c, U = b rho(z) c has share and alignment 1; another a on one side breaks the alignment."""
    group = parse_group("S4")
    rho = next(r for r in irreps(group) if r.name == "(3,1)").matrices
    rng = np.random.default_rng(0)
    a, other, b, c = rng.standard_normal((4, 3))
    L = np.einsum("i,xij,j->x", b, rho, a)
    R = np.stack([-np.einsum("i,xij,j->x", left, rho, c) for left in (a, other)], axis=1)
    U = np.einsum("i,xij,j->x", b, rho, c)
    fit = rho_set_fit(group, Weights.from_arrays(np.stack([L, L], axis=1), R, np.stack([U, U])))

    assert fit.share == pytest.approx([1, 1])
    assert fit.aligned[0] == pytest.approx(1)
    assert fit.fits(0.05).tolist() == [True, False]
    assert fit.orbit[0] == 24


def test_rho_set_orbit_of_a_coset_neuron_is_its_coset_space():
    """A vector b fixed by a point stabiliser has an orbit of 4 in S4."""
    group = parse_group("S4")
    rho = next(r for r in irreps(group) if r.name == "(3,1)").matrices
    stabiliser = group.elements[:, 0] == 0
    b = rho[stabiliser].mean(axis=0)[:, 0]
    f = np.einsum("i,xij,j->x", b, rho, b)
    fit = rho_set_fit(group, Weights.from_arrays(f[:, None], -f[:, None], f[None]))

    assert fit.fits(0.05).all()
    assert fit.orbit.tolist() == [4]


@pytest.mark.parametrize("surgery", [add_noise(0.5, 1.0, 7), set_to_mean(np.array([1, 4, 5])), remove(np.array([0, 2]))])
def test_surgeries_keep_floats_within_their_stated_errors(surgery):
    """The float64 arrays are within the stated bounds of the exact integers, which is what exact evaluation rests on."""
    operated = surgery(load_network(bundled_checkpoint("S5"), "S5").weights)
    exact = operated.exact()
    for floats, integers, bits, error in (
        (operated.L, exact.L, exact.preactivation_bits, operated.L_error),
        (operated.R, exact.R, exact.preactivation_bits, operated.R_error),
        (operated.U.T, exact.U.T, exact.vote_bits, np.full(operated.width, operated.U_error)),
    ):
        for i in range(0, operated.width, 17):
            for x in range(0, 120, 13):
                assert abs(Fraction(floats[x, i]) - Fraction(int(integers[x, i]), 1 << bits)) <= Fraction(error[i])
    unit = Fraction(1, 1 << (exact.preactivation_bits + exact.vote_bits))
    bias = [abs(Fraction(f) - int(e) * unit) for f, e in zip(operated.b, exact.b, strict=True)]
    assert max(bias) <= Fraction(operated.b_error)


def test_noise_has_the_stated_moments_and_depends_on_the_seed_alone():
    """Each preactivation moves by N(mean, deviation^2)."""
    w = noisy("S4").weights
    moved = add_noise(1.0, 2.0, 5)(w)
    shift = ((moved.L - w.L)[:, None] + (moved.R - w.R)).ravel()

    assert shift.mean() == pytest.approx(1, abs=0.15)
    assert shift.std() == pytest.approx(2, rel=0.1)
    assert np.array_equal(moved.L, add_noise(1.0, 2.0, 5)(w).L)
    assert not np.array_equal(moved.L, add_noise(1.0, 2.0, 6)(w).L)


@pytest.mark.parametrize("activation", ["relu", "square"])
def test_noise_keeps_a_bias_exact_when_weights_have_few_bits(activation):
    """Weights with fewer bits than the noise are written over the noise's denominator, and the bias with them; twice of squares."""
    w = Weights.from_arrays(np.eye(6), np.eye(6), np.eye(6), np.arange(6.0), activation=activation)
    exact = add_noise(0.0, 1.0, 1)(w).exact()

    assert exact.preactivation_bits == 24
    assert [Fraction(int(b), 1 << exact.logit_bits) for b in exact.b] == list(range(6))


def test_noise_is_rounded_once_at_any_size():
    """Usual noise to multiples of 2^-24; of 2^29 and more not at all, since such floats are; within the largest float64."""
    noise = np.array([0.3, -(2.0**-25) * 1.5, 2.0**28 + 2.0**-24, 2.0**29 + 2.0**-23, 1.5e308, -np.inf])
    found = _rounded(noise)
    assert found[:2].tolist() == [round(0.3 * 2**24) / 2**24, -(2.0**-24)]
    assert found[2:5].tolist() == noise[2:5].tolist()
    assert found[5] == -np.finfo(float).max


@pytest.mark.parametrize("size", [1e305, 1.7e308])
def test_noise_and_means_near_the_largest_float_are_exact(size):
    """Preactivations and sums that have no float64 are decided by integers."""
    rng = np.random.default_rng(1)
    sides = (rng.uniform(-1, 1, (6, 4)) * size for _ in range(2))
    arrays = (*sides, rng.normal(size=(4, 6)), rng.normal(size=6))
    weights = Weights.from_arrays(*arrays)
    for surgery in (add_noise(size, size / 2, 3), set_to_mean(np.array([0, 2]))):
        moved = surgery(weights)
        exact, found = moved.exact(), evaluate(moved)
        for x, y in np.ndindex(6, 6):
            logits = exact.logits(x, y).tolist()
            assert found.answer[x, y] == logits.index(max(logits))
    mean = Fraction(sum(max(Fraction(a) + Fraction(b), Fraction(0)) for a in arrays[0][:, 0] for b in arrays[1][:, 0]), 36)
    assert abs(_mean_activation(weights, 0) - mean) <= mean * Fraction(1, 2**45)


def test_noise_beyond_machine_words_is_exact():
    moved = add_noise(2.0**45, 1.0, 1)(Weights.from_arrays(np.eye(6), np.eye(6), np.eye(6)))
    exact = moved.exact()

    assert exact.L.min() > 2**68
    assert abs(Fraction(int(exact.L[3, 4]), 1 << exact.preactivation_bits) - Fraction(moved.L[3, 4])) <= Fraction(moved.L_error[4])


def test_mean_ablation_puts_the_mean_into_the_bias():
    """The logits lose what the neurons do beyond their mean."""
    w = noisy("S4").weights
    gone = np.array([3, 8])
    hidden = np.maximum(w.L[:, None] + w.R, 0)
    hidden[..., gone] = hidden[..., gone].mean(axis=(0, 1))

    assert logits_of(set_to_mean(gone)(w)) == pytest.approx(hidden @ w.U + w.b, abs=1e-6)


def test_swapping_embeddings_is_what_its_name_says():
    """L = E_right A, R = E_left B in the checkpoint's own numbering; with the halves swapped too, the inputs are exchanged."""
    network = load_network(bundled_checkpoint("S5"), "S5")
    layers, _ = read_checkpoint(bundled_checkpoint("S5"))
    (left, first), (right, second) = layers.left, layers.right
    position = np.argsort(network.convention.numbering)
    swapped = embeddings_swapped(network)
    sides = [(right @ first)[position], (left @ second)[position]]
    if network.convention.product == "right-first":
        sides.reverse()

    assert np.allclose(swapped.L, sides[0], rtol=0, atol=1e-9)
    assert np.allclose(swapped.R, sides[1], rtol=0, atol=1e-9)
    assert np.array_equal(exchange_inputs(network.weights).L, network.weights.R)


def test_folded_networks_have_no_embeddings_to_swap():
    """A network without a file, or with folded weights in it, is refused in one sentence."""
    with pytest.raises(MalformedInput, match="embeddings"):
        embeddings_swapped(noisy("S3"))


def test_blocks_hold_all_logits():
    """The losses above go through `logit_blocks`; together the blocks are all logits."""
    w = noisy("S3").weights

    assert np.concatenate([block.logits for block in logit_blocks(w, entries=40)]) == pytest.approx(logits_of(w), abs=1e-4)

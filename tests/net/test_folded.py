"""Folding against a twin in rational arithmetic, and the conditions of the statement about float32."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from net import folded
from net.errors import MalformedInput
from net.folded import fold, folded_network
from net.formats.layers import Layers
from net.weights import Weights


def rational(array):
    return np.frompyfunc(Fraction, 1, 1)(array)


def slow_logits(layers, x, y):
    """logits(x, y) from the unfolded layers, in rational arithmetic."""
    left, right = (rational(f[0])[i] @ rational(f[1]) for f, i in ((layers.left, x), (layers.right, y)))
    hidden = np.maximum(left + right, Fraction(0))
    if layers.after_relu is not None:
        hidden = hidden + rational(layers.after_relu)
    logits = hidden @ rational(layers.unembedding)
    return logits if layers.bias is None else logits + rational(layers.bias)


@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e30, 1e-44])
def test_folded_integers_are_the_rational_products(s3, random_layers, scale):
    """Every pair and output, at ordinary, tiny, huge and (as float32) denormal weights."""
    layers = replace(
        random_layers,
        left=(np.float32(random_layers.left[0] * scale).astype(float), random_layers.left[1]),
        unembedding=np.float32(random_layers.unembedding * scale).astype(float),
    )
    exact = fold(layers, s3, None).weights.exact()
    for x in range(6):
        for y in range(6):
            logits = exact.logits(x, y)
            bits = exact.preactivation_bits + exact.vote_bits
            assert [Fraction(value, 1 << bits) for value in logits] == slow_logits(layers, x, y).tolist()


@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e-44])
def test_float64_arrays_are_within_their_bounds_and_below_the_absolute_sums(s3, random_layers, scale):
    """|float64 - exact| <= error and sum of |products| <= L_abs, R_abs, entry by entry."""
    layers = replace(random_layers, left=(np.float32(random_layers.left[0] * scale).astype(float), random_layers.left[1]))
    network = fold(layers, s3, None)
    weights, exact = network.weights, network.weights.exact()
    one = Fraction(1, 1 << exact.preactivation_bits)
    for values, integers, error, absolute, factors in (
        (weights.L, exact.L, weights.L_error, network.L_abs, layers.left),
        (weights.R, exact.R, weights.R_error, network.R_abs, layers.right),
    ):
        assert (abs(integers * one - rational(values)) <= error[None, :]).all()
        assert (rational(np.abs(factors[0])) @ rational(np.abs(factors[1])) <= rational(absolute)).all()
    bits = exact.preactivation_bits + exact.vote_bits
    assert (abs(exact.b * Fraction(1, 1 << bits) - rational(weights.b)) <= weights.b_error).all()


def test_bounds_hold_where_products_underflow(s3):
    """Products of float64 numbers near 1e-160 vanish in float64; the bounds know."""
    tiny = np.full((6, 2), 3e-162)
    layers = Layers((tiny, tiny[:2]), (tiny, tiny[:2]), np.ones((2, 6)))
    network = fold(layers, s3, None)
    exact = network.weights.exact()
    error = abs(exact.L * Fraction(1, 1 << exact.preactivation_bits) - rational(network.weights.L))

    assert (error > 0).all()
    assert (error <= network.weights.L_error).all()


def test_products_beyond_float64_are_refused(s3):
    huge = np.full((6, 2), 1e200)
    with pytest.raises(MalformedInput, match="overflows"):
        fold(Layers((huge, huge[:2]), (huge, huge[:2]), np.ones((2, 6))), s3, None)


def test_a_bias_before_relu_folds_into_the_left_half(s3, random_layers):
    """relu(W_x W + c + W_y W): the sum is the same with c added to every row of L, exactly."""
    c = np.arange(4.0) / 3
    with_bias = replace(random_layers, left_added=((c,),))
    plain, moved = (fold(layers, s3, None).weights.exact() for layers in (random_layers, with_bias))
    difference = [
        Fraction(a, 1 << moved.preactivation_bits) - Fraction(b, 1 << plain.preactivation_bits)
        for a, b in zip(moved.L.ravel(), plain.L.ravel(), strict=True)
    ]

    assert difference == [Fraction(value) for value in np.tile(c, 6)]
    assert with_bias.preactivation_terms == random_layers.preactivation_terms + 1


def test_float32_terms_are_the_lengths_of_the_two_dot_products(s3, random_layers):
    """2d products for a pre-activation; m products and the bias for a logit."""
    network = fold(replace(random_layers, after_relu=None), s3, None)
    assert (network.preactivation_terms, network.logit_terms) == (10, 5)

    network = fold(replace(random_layers, after_relu=None, bias=None), s3, None)
    assert (network.preactivation_terms, network.logit_terms) == (10, 4)


def test_no_float32_statement_about_dot_products_that_are_too_long(s3, random_layers, monkeypatch):
    """The bound of a float32 dot product holds below 2^23 terms; here that limit is at the longest one, and one above."""
    assert folded.FLOAT32_TERMS == 2**23
    for limit, terms in ((10, (None, None)), (11, (10, 5))):
        monkeypatch.setattr(folded, "FLOAT32_TERMS", limit)
        network = fold(replace(random_layers, after_relu=None), s3, None)
        assert (network.preactivation_terms, network.logit_terms) == terms


@pytest.mark.parametrize(
    "change",
    [
        lambda layers: layers,  # a bias after the relu
        lambda layers: replace(layers, after_relu=None, bias=layers.bias + 1e-12),  # not a float32 number
        lambda layers: replace(layers, after_relu=None, unembedding=layers.unembedding * 2.0**125),
    ],
)
def test_no_float32_statement_where_its_forward_pass_is_another_one(s3, random_layers, change):
    network = fold(change(random_layers), s3, None)

    assert network.preactivation_terms is network.logit_terms is None


def test_folded_weights_need_one_addition(s3, planted_s3):
    network = folded_network(s3, Weights.from_arrays(*planted_s3))

    assert (network.preactivation_terms, network.logit_terms) == (2, 24)
    assert np.array_equal(network.L_abs, np.abs(planted_s3[0]))


def test_rounded_weights_make_no_float32_statement(s3):
    """Integers over 3 bits fit into float32, integers of 60 bits do not."""
    for integer, terms in ((5, 2), ((1 << 60) + 1, None)):
        column = [[integer]] * 6
        weights = Weights.from_integers(column, column, [[1] * 6], None, 3, 0)
        assert folded_network(s3, weights).preactivation_terms == terms


def test_surgery_on_a_network_keeps_its_parts_together(s3, random_layers):
    network = fold(random_layers, s3, None)
    smaller = network.without([0, 2])

    assert smaller.width == 2
    assert np.array_equal(smaller.L_abs, network.L_abs[:, [1, 3]])
    assert np.array_equal(network.exchanged().L_abs, network.R_abs)
    assert np.array_equal(network.permuted(np.arange(6)[::-1]).weights.b, network.weights.b[::-1])

"""The Fourier transform on S_n and A_n.

``f^(rho) = sum_g f(g) rho(g)`` and ``f(g) = (1/|G|) sum_rho d_rho tr(f^(rho) rho(g)^*)`` (Diaconis, Group
Representations in Probability and Statistics, 1988, chapter 2C). All matrix entries side by side, scaled by
sqrt(d_rho / |G|), are one unitary matrix, so both are a single matrix product for many functions.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from algebra.characters.irrep import irreps
from algebra.errors import GroupError
from algebra.group import FiniteGroup
from algebra.plural import plural

__all__ = ["inverse_transform", "matrix_coefficients", "power", "power_share", "transform"]


@lru_cache(maxsize=4)
def matrix_coefficients(group: FiniteGroup) -> NDArray[np.inexact]:
    """(order, order) row g holds the entries of rho(g) for all irreps; 8 |G|^2 bytes, 16 if complex."""
    entries = np.concatenate([rho.matrices.reshape(group.order, -1) for rho in irreps(group)], axis=1)
    entries.setflags(write=False)
    return entries


def transform(group: FiniteGroup, functions: ArrayLike) -> list[NDArray[np.number]]:
    """``f^(rho) = sum_g f(g) rho(g)`` for each irrep, arrays (..., d, d) for functions (..., order).

    Raises:
        GroupError: the last axis is not the order of the group, or its irreps are not known.

    """
    values = _checked(group, functions)
    flat = values @ matrix_coefficients(group)
    found, start = [], 0
    for rho in irreps(group):
        stop = start + rho.dimension**2
        found.append(flat[..., start:stop].reshape(*values.shape[:-1], rho.dimension, rho.dimension))
        start = stop
    return found


def inverse_transform(group: FiniteGroup, coefficients: Sequence[ArrayLike]) -> NDArray[np.inexact]:
    """``f(g) = (1/|G|) sum_rho d_rho tr(f^(rho) rho(g)^*)``, (..., order) for matrices (..., d, d).

    It is complex where a matrix is, which on S_n needs complex functions.

    Raises:
        GroupError: the matrices do not fit the irreps.

    """
    flat = []
    for rho, matrices in zip(irreps(group), coefficients, strict=True):
        array = np.asarray(matrices)
        if array.shape[-2:] != (rho.dimension, rho.dimension):
            raise GroupError(f"Expected {rho.dimension} x {rho.dimension} matrices for {rho.name}, got {array.shape}.")
        flat.append(rho.dimension / group.order * array.reshape(*array.shape[:-2], -1))
    return np.asarray(np.concatenate(flat, axis=-1) @ matrix_coefficients(group).conj().T)


def power(group: FiniteGroup, functions: ArrayLike) -> NDArray[np.float64]:
    """(irreps, ...) power ``d_rho |f^(rho)|_F^2 / |G|^2`` of functions (..., order).

    It adds up to the mean of f^2 (Parseval).

    Raises:
        GroupError: as ``transform``.

    """
    shares = [
        rho.dimension * (np.abs(matrices) ** 2).sum(axis=(-2, -1)) / group.order**2
        for rho, matrices in zip(irreps(group), transform(group, functions), strict=True)
    ]
    return np.stack(shares)


def power_share(group: FiniteGroup, functions: ArrayLike) -> NDArray[np.float64]:
    """(irreps, ...) power divided by the mean of f^2, so that it adds up to 1; 0 for the function 0."""
    found = power(group, functions)
    total = (np.abs(np.asarray(functions)) ** 2).mean(axis=-1)
    positive = np.broadcast_to(total, found.shape) > 0
    return np.asarray(np.divide(found, total, out=np.zeros_like(found), where=positive))


def _checked(group: FiniteGroup, functions: ArrayLike) -> NDArray[np.number]:
    values = np.asarray(functions)
    if values.shape[-1:] != (group.order,):
        raise GroupError(f"Expected functions of {plural(group.order, 'value')} on {group.name}, got shape {values.shape}.")
    return values

"""Products activation(L[x] + R[y]) V of all pairs, through classes of y where many neurons share few of them.

Column i of R divides the y into classes, on each of which R[y, i] is one number: six where a program's neuron reads y through cosets of
a subgroup of index six. Let S be neurons whose classes are all unions of the same c classes. What they add at (x, y) is one of c rows,
so c columns take the place of |S|:

    sum over i in S of a(L[x, i] + R[y, i]) V[i, :]  =  E[y, :] T_x,        E[y, j] = 1 if y lies in class j, else 0,
    T_x[j, :] = sum over i in S of a(L[x, i] + R[y_j, i]) V[i, :],          y_j any member of class j,

and with H for the activations of the other neurons all logits of an x are [H E] [V' ; T_x], an inner dimension of fewer columns.

**Nothing new is rounded.** E holds 0 and 1, so products with it are exact, and so are sums with the 0s that come of them. What is left
is the same k products as in the plain one, added up in another order: those of S first. So a bound that holds for k products in any
order of summation holds here. Where all are integers and those of a pair have absolute values that add up to at most 2^T, every partial
sum, of T_x too, is a sum of some of them: exact, and the result is the same bit for bit. Where sums are rounded and S is one of s sets
beside p neurons in none, a product of S is rounded once, in |S| - 1 sums of T_x, and in p + s - 1 others at most: k times or less,
which is what gamma_k (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.1) allows for.

T_x must be finite, since 0 times infinity is no number; where it is not, the plain product is formed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from net.activation import fired

if TYPE_CHECKING:
    from collections.abc import Iterator

    from net.activation import Activation

Floats = NDArray[np.floating]
Indices = NDArray[np.int64]

# Bytes of [V' ; T_x] that are made at once.
_BATCH_BYTES = 1 << 23

__all__ = ["ClassProduct", "SharedClasses", "shared_classes"]


@dataclass(frozen=True, eq=False)
class SharedClasses:
    """Neurons (m,) that read y through the same classes: labels (n,), and one y of each class (c,)."""

    neurons: Indices
    labels: Indices
    members: Indices


@dataclass(frozen=True, eq=False)
class _Table:
    """What makes T_x of one set of neurons: L (n, m), R (c, m) and V (m, columns)."""

    L: Floats
    R: Floats
    V: Floats


@dataclass(frozen=True, eq=False)
class ClassProduct:
    """The product of all pairs; see the module's docstring. L and R are (n, k), V is (k, columns), all finite and of one dtype.

    ``alone`` are L, R and V of the neurons that are in no set, ``tables`` those of the sets, ``indicators`` is E (n, c in all).
    """

    L: Floats
    R: Floats
    V: Floats
    activation: Activation
    alone: _Table
    tables: tuple[_Table, ...]
    indicators: Floats

    @classmethod
    def of(cls, L: Floats, R: Floats, V: Floats, activation: Activation, rows: int) -> ClassProduct:
        """The product, whose blocks have so many y to an x. Complexity: O(n D^2) for D divisions into classes, D <= k."""
        sets = shared_classes(R, rows)
        alone = np.ones(len(V), dtype=bool)
        for one in sets:
            alone[one.neurons] = False
        tables = tuple(_Table(L[:, s.neurons], R[np.ix_(s.members, s.neurons)], V[s.neurons]) for s in sets)
        indicators = [s.labels[:, None] == np.arange(len(s.members)) for s in sets]
        together = np.concatenate([np.zeros((len(R), 0), bool), *indicators], axis=1).astype(R.dtype)
        return cls(L, R, V, activation, _Table(L[:, alone], R[:, alone], V[alone]), tables, together)

    @property
    def inner(self) -> int:
        """The inner dimension: columns of [H E]."""
        return int(self.alone.V.shape[0] + self.indicators.shape[1])

    def blocks(self, x: Indices, step: int, cut: int) -> Iterator[tuple[Indices, slice, Floats]]:
        """(x, y, logits) of blocks of ``step`` of these x and ``cut`` y, x by x, logits (pairs, columns); O(|x| n inner columns)."""
        n = len(self.R)
        batch = step * max(1, _BATCH_BYTES // (self.inner * self.V.shape[1] * self.V.itemsize * step or 1))
        hidden = np.empty((step, cut, self.inner), self.V.dtype)
        for start in range(0, len(x), batch):
            together = x[start : start + batch]
            votes = self._votes(together)
            for at in range(0, len(together), step):
                part = together[at : at + step]
                for y in range(0, n, cut):
                    ys = slice(y, min(y + cut, n))
                    if votes is None:
                        logits = self._hidden(self.L[part], self.R[ys]) @ self.V
                    else:
                        logits = self._by_classes(part, ys, hidden[: len(part), : ys.stop - y]) @ votes[at : at + step]
                    yield part, ys, np.asarray(logits.reshape(-1, self.V.shape[1]))

    def _votes(self, x: Indices) -> Floats | None:
        """[V' ; T_x] for each x; None where the plain product is to be formed."""
        votes = np.empty((len(x), self.inner, self.V.shape[1]), self.V.dtype)
        at = len(self.alone.V)
        votes[:, :at] = self.alone.V
        for table in self.tables:
            found = self._hidden(table.L[x], table.R) @ table.V
            votes[:, at : at + len(table.R)] = found.reshape(len(x), -1, self.V.shape[1])
            at += len(table.R)
        return votes if self.tables and np.isfinite(votes).all() else None

    def _by_classes(self, x: Indices, y: slice, hidden: Floats) -> Floats:
        """[H' E] in the place for it, (x, y, inner)."""
        first = len(self.alone.V)
        np.add(self.alone.L[x, None], self.alone.R[y], out=hidden[..., :first])
        fired(hidden[..., :first], self.activation, out=hidden[..., :first])
        hidden[..., first:] = self.indicators[y]
        return hidden

    def _hidden(self, left: Floats, right: Floats) -> Floats:
        """Activations (pairs, neurons) of all pairs of a row of each, those of the first row of the left first."""
        hidden = (left[:, None] + right).reshape(len(left) * len(right), -1)
        return fired(hidden, self.activation, out=hidden)


def shared_classes(R: Floats, rows: int) -> list[SharedClasses]:
    """Disjoint sets of columns of R (n, k) that share classes, where that saves operations for ``rows`` values of y to an x.

    For each x a set of m columns with c classes costs c m products for T_x in place of rows (m - c) ones, times the number of outputs.
    The set that saves most is taken first.
    """
    divisions: dict[bytes, list[int]] = {}
    ordered = np.sort(R, axis=0)
    counts = 1 + np.count_nonzero(ordered[1:] != ordered[:-1], axis=0)
    for i in np.flatnonzero(_saved(rows, R.shape[1], counts) > 0).tolist():
        divisions.setdefault(_labels(R[:, i]).tobytes(), []).append(i)
    if not divisions:
        return []
    columns = list(divisions.values())
    labels = np.array([np.frombuffer(division, np.int64) for division in divisions]).T
    classes = labels.max(axis=0) + 1
    members = [np.unique(column, return_index=True)[1] for column in labels.T]
    within = np.array([(labels[m[column]] == labels).all(axis=0) for m, column in zip(members, labels.T, strict=True)])
    left, found = np.array([len(c) for c in columns]), list[SharedClasses]()
    while True:
        saved = _saved(rows, within @ left, classes)
        best = int(saved.argmax())
        if saved[best] <= 0:
            return found
        taken = np.flatnonzero(within[best] & (left > 0))
        left[taken] = 0
        neurons = np.sort(np.concatenate([columns[k] for k in taken]))
        found.append(SharedClasses(neurons, labels[:, best], members[best]))


def _saved(rows: int, neurons: int | Indices, classes: Indices) -> Indices:
    """Products saved for an x and an output; those of T_x count as well."""
    return np.asarray(rows * (neurons - classes) - classes * neurons)


def _labels(column: Floats) -> Indices:
    """Classes of equal numbers, numbered by their first members: the same for the same division."""
    _, first, inverse = np.unique(column, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].astype(np.int64)

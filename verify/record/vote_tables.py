"""The vote tables of a program's circuits: what a circuit says of x, y and z, as one table of integers, whatever its forms are.

Elements that a circuit's left functions do not tell apart are one row, those that its right functions do not tell apart one column,
and those that its votes do not tell apart one kind. For x in row p, y in column q and z of kind d the circuit gives

    votes[p][q][d] = sum over its neurons i of relu(l_i(x) + r_i(y)) u_i(z).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from algebra.group import FiniteGroup
from net.activation import fired
from verify.program.written import Written
from verify.record.summary import CircuitRow, VoteTable

#: The largest table that a summary holds: rows times columns, and kinds.
CELLS, KINDS = 400, 12
#: Larger numbers are not what every reader of JSON reads.
LARGEST = 2**53
#: How many families get a table.
FAMILIES = 6

#: Python's integers.
Integers = npt.NDArray[np.object_]


def vote_tables(group: FiniteGroup, written: Written, rows: Sequence[CircuitRow]) -> list[VoteTable]:
    """The table of one circuit of each family, the one with most energy that has a table; at most ``FAMILIES`` of them.

    ``rows`` are the circuits' rows in the summary; families come in the order of their energy.
    """
    members: dict[str, list[CircuitRow]] = {}
    for row in sorted(rows, key=lambda row: -row.energy_share):
        members.setdefault(row.family, []).append(row)
    energy = {family: sum(row.energy_share for row in found) for family, found in members.items()}
    tables = []
    for family in sorted(members, key=lambda family: -energy[family])[:FAMILIES]:
        found = (vote_table(group, written, row.number) for row in members[family])
        tables += [next((table for table in found if table is not None), None)]
    return [table for table in tables if table is not None]


def vote_table(group: FiniteGroup, written: Written, number: int) -> VoteTable | None:
    """The table of circuit ``number``, counted from 1.

    None where it has more than ``CELLS`` cells or ``KINDS`` kinds, or numbers beyond ``LARGEST``.
    """
    sizes = [len(circuit.neurons) for circuit in written.program.circuits]
    first = sum(sizes[: number - 1])
    places = slice(first, first + sizes[number - 1])
    exact, program = written.weights.exact(), written.program
    further = program.preactivation_bits + program.scale_bits - exact.preactivation_bits
    left, right = _times(exact.L[:, places], further), _times(exact.R[:, places], further)
    votes = _times(exact.U[places].T, program.vote_bits - exact.vote_bits)
    (rows, row), (columns, column), (kinds, kind) = (_classes(part) for part in (left, right, votes))
    if len(rows) * len(columns) > CELLS or len(kinds) > KINDS:
        return None
    pushes = fired(left[rows][:, None] + right[columns][None], exact.activation)
    ballots = pushes @ votes[kinds].T
    if any(abs(votes) > LARGEST for votes in ballots.ravel().tolist()):
        return None
    products: list[list[int | None]] = [[None] * len(columns) for _ in rows]
    for p in range(len(rows)):
        for q in range(len(columns)):
            met = np.unique(kind[group.mul[np.ix_(row == p, column == q)]])
            products[p][q] = int(met[0]) if len(met) == 1 else None
    return VoteTable(number, rows.tolist(), columns.tolist(), kinds.tolist(), products, ballots.tolist())


def _times(integers: Integers, power: int) -> Integers:
    """Integers over one denominator as integers over another, which is 2^power times as large."""
    return np.asarray(integers << power if power >= 0 else integers >> -power, dtype=object)


def _classes(functions: Integers) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The least element of each class of elements that no function tells apart, and every element's class, by least elements."""
    lists = [tuple(row) for row in functions.tolist()]
    number = {values: k for k, values in enumerate(dict.fromkeys(lists))}
    kind = np.array([number[values] for values in lists], dtype=np.intp)
    return np.unique(kind, return_index=True)[1].astype(np.intp), kind

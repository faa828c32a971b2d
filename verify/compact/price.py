"""What a plan costs in time, in units of one operation inside a float32 matrix product.

FLOPs say little about seconds: a matrix product does several operations per clock on numbers that it holds in registers,
while adding two gathered rows reads and writes memory for every one of them, and small arrays cost a call each. So plans
are compared by these weights, measured once with numpy 2 and OpenBLAS on an x86-64 core, rounded, and fixed: the same
network must get the same plan, hence the same certificate, on every machine. No proof rests on them, and the FLOPs that
are reported are counted by verify.compact.flops without weights.
"""

from verify.compact.factorisation import Factorisation
from verify.compact.flops import brute_force, matrix_product
from verify.compact.strategies.tables_of_y import in_integers

__all__ = ["lines_price", "plan_price", "sweep_price"]

#: One entry: scaled to an integer with its row's extremes; of a merged table (gathered twice and added, or only added);
#: of a last table at some x (gathered and added); compared with the largest.
SCALED, GATHERED, ADDED, SWEPT, COMPARED = 150, 40, 15, 17, 40
#: A float32 entry against an integer one where memory is what counts.
WIDE = 2
#: One call of numpy, and the calls for a family, a merge, a last table, and a block of y's.
CALL, PER_FAMILY, PER_MERGE, PER_LAST, PER_BLOCK = 150_000, 3, 3, 3, 40
#: One neuron of a pair whose slack is computed by itself, one z of a pair whose contenders are listed, and one operation
#: of the shortlist.
TIGHTENED, LISTED, SHORTLISTED = 800, 200, 70
#: One operation of brute force on pairs that the plan would leave open: a plan should prove, not only be fast.
UNPROVED = 30
#: One operation on lines, and the calls for the lines of one y.
LINE, PER_LINES = 50, 600


def plan_price(factorisation: Factorisation, block: int, tightened: int, pairs: int, triples: int, hopeless: int) -> int:
    """Units for all y, ``block`` of them at a time, with the numbers of pairs and triples that are looked at again."""
    groups, n, m = (int(size) for size in (factorisation.groups, *factorisation.R.shape))
    families, merge = factorisation.families, factorisation.merge
    cells = sum(family.partition.count for family in families)
    wide = 1 if in_integers(factorisation) else WIDE
    products = sum(matrix_product(n * f.partition.count, len(f.neurons), n) for f in families)
    rows = SCALED * cells * (wide == 1)
    calls = PER_FAMILY * len(families) + PER_MERGE * len(merge.steps) + PER_LAST * len(merge.last) + PER_BLOCK
    slack = 2 * matrix_product(n, groups * m, n)
    listed = TIGHTENED * m * tightened + LISTED * n * pairs + SHORTLISTED * 2 * m * (pairs + triples)
    rest = UNPROVED * brute_force(n, m) * hopeless // (n * n)
    return products + rows * n * n + sweep_price(factorisation) + CALL * calls * n // block + slack + listed + rest


def sweep_price(factorisation: Factorisation) -> int:
    """Units of merging, adding and comparing for all x, y and z."""
    n = len(factorisation.R)
    wide = 1 if in_integers(factorisation) else WIDE
    rows = _merged_rows(factorisation) + (SWEPT * len(factorisation.merge.last) + COMPARED) * n
    return wide * rows * n * n


def lines_price(order: int, flops: int) -> int:
    """Units of the quadratic strategy for all y, which does so many operations."""
    return LINE * flops + CALL * PER_LINES * order


def _merged_rows(factorisation: Factorisation) -> int:
    """Weighted cells of the merged tables: those of a full product need no gathering."""
    families, merge = factorisation.families, factorisation.merge
    counts = [family.partition.count for family in families]
    total = 0
    for one, other, refinement in merge.steps:
        counts.append(refinement.partition.count)
        total += counts[-1] * (ADDED if counts[-1] == counts[one] * counts[other] else GATHERED)
    return total

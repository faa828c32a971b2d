"""Tables over all pairs, made small enough to draw: which strategy settled which pair, and how margins are distributed."""

import numpy as np
import numpy.typing as npt

from verify.distil.coset_fit import Floats
from verify.record.summary import CompactMap, MarginMap, Margins


def compact_map(settled: npt.NDArray[np.uint8], names: list[str], size: int = 120) -> CompactMap:
    """The pairs by strategy on a grid of at most ``size`` x ``size``: the largest (last needed) strategy in each cell."""
    order = len(settled)
    step = -(-order // size)
    cells = -(-order // step)
    rows = [
        [_latest(settled[r * step : (r + 1) * step, c * step : (c + 1) * step], len(names)) for c in range(cells)] for r in range(cells)
    ]
    return CompactMap([*names, "exhaustive"], rows)


def _latest(block: npt.NDArray[np.uint8], strategies: int) -> int:
    """1 for the first strategy and so on; pairs that none settled count as one past the last."""
    numbers = np.where(block == 0, strategies + 1, block)
    return int(numbers.max())


def margin_histogram(margins: Floats, good: npt.NDArray[np.bool_], bound: npt.NDArray[np.floating], bins: int = 60) -> Margins | None:
    """How many of the right pairs have which margin, and how many pairs which lower bound by the compact proof.

    ``margins`` (n, n) are the network's own, as near as float arithmetic gives them. Bins are equal; a number on an edge counts to the
    right, the greatest to the last bin. None where nothing was bounded.
    A group of one element has no margin: infinite ones are left out.
    """
    seen, bounds = margins[good & np.isfinite(margins)].astype(np.float64), bound[np.isfinite(bound)].astype(np.float64)
    if not len(seen) or not len(bounds):
        return None
    edges = histogram_edges(min(seen.min(), bounds.min()), max(seen.max(), bounds.max()), bins)
    network, proved = (np.histogram(values, edges)[0] for values in (seen, bounds))
    return Margins(edges.tolist(), network.tolist(), proved.tolist())


def histogram_edges(least: float, greatest: float, bins: int) -> Floats:
    """Edges of ``bins`` equal bins, or a few more, over the numbers from ``least`` to ``greatest``, the last at the greatest.

    Where numbers of both signs occur 0 is an edge, so that no bin shows leads as losses; the first edge is then at most the least, and
    where nearly all lies below 0 the last one is beyond the greatest.
    """
    if not least < 0 < greatest:
        return np.linspace(least, greatest, bins + 1)
    above = round(bins * (greatest / (greatest - least)))
    if above == 0:
        return np.append(np.linspace(least, 0, bins), -least / (bins - 1))
    below = int(np.ceil(-least * above / greatest))
    edges = greatest * (np.arange(-below, above + 1) / above)
    edges[0] = min(edges[0], least)  # which rounding may have left out
    return edges


def margin_map(margins: Floats, good: npt.NDArray[np.bool_], size: int = 60) -> MarginMap:
    """The least margin of the right pairs in each square of a grid of at most ``size`` x ``size`` squares."""
    order = len(margins)
    step = -(-order // size)
    least = np.where(good, margins, np.inf)
    starts = range(0, order, step)
    rows = [[float(least[r : r + step, c : c + step].min()) for c in starts] for r in starts]
    return MarginMap(step, [[None if np.isinf(value) else value for value in row] for row in rows])


def least_in_squares(margins: Floats, good: npt.NDArray[np.bool_], size: int = 60) -> npt.NDArray[np.int64]:
    """The pairs x * n + y with the least margin of the right ones in each square of `margin_map`, where there is a finite one."""
    order = len(margins)
    step = -(-order // size)
    least = np.where(good, margins, np.inf)
    found = []
    for r in range(0, order, step):
        for c in range(0, order, step):
            square = least[r : r + step, c : c + step]
            x, y = divmod(int(square.argmin()), square.shape[1])
            if np.isfinite(square[x, y]):
                found.append((r + x) * order + c + y)
    return np.sort(np.array(found, dtype=np.int64))

"""From a checkpoint to a verdict and the files that back it: the main job."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from verify.analysis import Analysis, Proof, analyse
from verify.reading import AS_FOUND, How
from verify.record.certificate import Certificate
from verify.record.summary import Summary
from verify.symbolic.settings import SOLVERS_S


@dataclass(frozen=True)
class Result:
    """What a run ends with: the analysis and the directory that holds its files."""

    analysis: Analysis
    directory: Path

    @property
    def certificate(self) -> Certificate:
        """What is proved."""
        return self.analysis.certificate

    @property
    def summary(self) -> Summary:
        """What is proved and what was measured."""
        return self.analysis.summary


def run(
    checkpoint: Path,
    group_name: str | None = None,
    out: Path | None = None,
    proof: Proof = "auto",
    timeout_s: float = SOLVERS_S,
    order: str | None = None,
    product: str | None = None,
    all_counterfactuals: bool = False,
    progress: Callable[[str], None] = lambda _: None,
    assume_relu: bool = False,
    how: How = AS_FOUND,
) -> Result:
    """Analyse the network in a file and write everything into ``out`` (default proofs/GROUP-SHA8).

    Raises:
        MalformedInput: the checkpoint cannot be read or does not fit the group, or ``out`` holds something else than an earlier run.
        GroupError: no group has this name.
        OSError: ``out`` cannot be written, which shows before the work begins.

    """
    analysis = analyse(
        checkpoint,
        group_name,
        order=order,
        product=product,
        proof=proof,
        timeout_s=timeout_s,
        all_counterfactuals=all_counterfactuals,
        progress=progress,
        assume_relu=assume_relu,
        **how._asdict(),
    )
    source = analysis.network.source
    assert source is not None
    target = out or Path("proofs") / f"{analysis.group.name}-{source.sha256[:8]}"
    return Result(analysis, analysis.write(target))

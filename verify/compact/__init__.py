"""Proofs that a network multiplies, at a fraction of the cost of evaluating it (docs/compact-proofs.md)."""

from verify.compact.ladder import prove_compactly
from verify.compact.result import CompactResult, StrategyRecord

__all__ = ["CompactResult", "StrategyRecord", "prove_compactly"]

"""What an SMT solver proves about a program: one lemma per obligation, each in a file that any solver can run."""

from verify.symbolic.prove import prove
from verify.symbolic.task import SymbolicResult

__all__ = ["SymbolicResult", "prove"]

"""What an SMT solver proves about a program: one lemma per obligation, each in a file that any solver can run."""

from verify.symbolic.families import take_apart
from verify.symbolic.plan import plan
from verify.symbolic.prove import prove
from verify.symbolic.task import SymbolicResult

__all__ = ["SymbolicResult", "plan", "prove", "take_apart"]

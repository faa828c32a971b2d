"""Obligations before and after they were handed to a solver."""

from collections.abc import Callable
from dataclasses import dataclass, field

from verify.record.certificate import Status, Symbolic


@dataclass(frozen=True)
class Counterexample:
    """What a solver's model of a failed lemma means: concrete objects by name, as text, and whether it refutes the program.

    ``refutes`` is set only after the program was evaluated exactly at the pair named and found to answer wrongly.
    """

    text: str
    refutes: bool = False


@dataclass(frozen=True)
class Task:
    """One obligation: its id, its statement in one sentence, and the script that asserts its negation.

    The obligation is proved when every one of the script's ``checks`` answers ``unsat``.
    ``interpret`` says what a model (values of ``wanted`` by name) means; None where models are not read.
    """

    id: str
    statement: str
    script: str
    checks: int = 1
    wanted: tuple[str, ...] = ()
    interpret: Callable[[dict[str, str]], Counterexample] | None = None


@dataclass(frozen=True)
class Outcome:
    """A solver's answers to one task: the status, seconds spent, and what went wrong or was found."""

    status: Status
    seconds: float
    detail: str = ""
    model: Counterexample | None = None


@dataclass(frozen=True)
class SymbolicResult:
    """Q3 and the obligations behind it, with times and with what the solver found where a lemma failed."""

    symbolic: Symbolic
    seconds: dict[str, float] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)

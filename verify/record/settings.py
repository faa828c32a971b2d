"""The settings of all searches of a run: what `verify.analyse` is given, and what summary.json holds under ``settings``."""

import msgspec

from verify.compact.settings import CompactSettings
from verify.distil.settings import DistilSettings
from verify.symbolic.settings import SymbolicSettings

__all__ = ["DEFAULT", "Settings"]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One typed object per search.

    Attributes:
        distil: the search for labels and programs.
        compact: the search for a plan of Q4.
        symbolic: the search for a proof of Q3.

    """

    distil: DistilSettings = DistilSettings()
    compact: CompactSettings = CompactSettings()
    symbolic: SymbolicSettings = SymbolicSettings()


#: The settings of every run that asks for no others.
DEFAULT = Settings()

"""A program made for a symbolic proof: the readable program's readings, with votes that lemmas about single points can bound."""

from verify.symbolic.provable.search import Provable
from verify.symbolic.provable.settle import Settled, settle

__all__ = ["Provable", "Settled", "settle"]

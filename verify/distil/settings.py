"""The numbers that the search for programs rests on, each with its reason.

They decide which program is found and how soon, never whether it is right: every program is checked exactly afterwards.
docs/settings.md shows what changes when one of them is halved or doubled. A run records them in summary.json.
Numbers that change nothing when halved or doubled are constants of the method, beside the code that uses them.
"""

import msgspec

__all__ = ["DEFAULT", "DistilSettings"]


class DistilSettings(msgspec.Struct, frozen=True, kw_only=True):  # summaries of runs that had more settings are read
    """What the search for labels and programs aims at, and when it gives up.

    Attributes:
        labelled_variance: a neuron is labelled when its coset spaces explain this share of the variance of each of its inputs.
        readable_variance: the share of the logits' variance at which the readable program is good enough.
        removed_variance: that share after random removals of circuits, at which it is.
        rate: constants paid for the whole of the logits' variance, as a share of the network's parameters: votes that cost less for
            what they explain are bought for the readable program though it is good enough. At 1/2 a constant explains at least twice
            what one of the network's own does on average.
        largest_ratio: a program with fitted votes of more than this share of the network's parameters is not looked for.
        ridge: how strongly fitted votes are pulled towards averaged ones, as a share of the diagonal of the normal equations; without
            it the program's circuits stop acting as the network's do when some are removed.
        faithful_variance: the share of the logits' variance that the faithful program explains.

    """

    labelled_variance: float = 0.9
    readable_variance: float = 0.95
    removed_variance: float = 0.93
    rate: float = 0.5
    largest_ratio: float = 0.25
    ridge: float = 0.1
    faithful_variance: float = 0.997


#: The settings of every run that asks for no others.
DEFAULT = DistilSettings()

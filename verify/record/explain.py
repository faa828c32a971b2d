"""What an explanation is worth: one status for the headline, from three figures that a look-up table cannot all have.

Every network has a program with its answers: at worst the program is the network written out. So three figures are looked at together.

- **Price** (``ratio``): the integers of the readable program over the folded parameters 3 |G| m (and |G| for a bias) of the m neurons
  that can change an answer; dead neurons make no program cheaper.
- **Variance** (``logit_fve``): the share of the variance of the network's centred logits that the program explains *by its circuits on
  cosets alone*, with every neuron taken out whose two preactivations are not both given by fewer integers, weights of points among
  them, than the group has elements. Such a neuron is a table of the group and explains nothing, whatever its votes. What is the same
  at every pair is taken off both first: a bias, or a neuron that reads nothing, explains nothing (`verify.compare.levels.varying_fve`).
- **Structure** (``energy_labelled``): the share of energy in neurons whose label is more than chance (`verify.distil.labels`).

=================  =================  =================  =================
status             price              variance           structure
=================  =================  =================  =================
explained          at most 1/4        at least 0.9       at least 0.9
in part            at most 3/4        at least 0.5       at least 0.5
not explained      otherwise
=================  =================  =================  =================

Why these numbers. Writing both preactivations on cosets and leaving the votes as they are costs more than a third of the
parameters, and then only half of the mechanism has been said: 1/4 asks for votes on cosets as well. Writing everything out costs 1,
and one of the three functions in short lists costs at least 2/3: above 3/4 hardly anything was said. Variance and structure of 0.9
leave one part in ten to whatever was not understood, and 0.5 is more than half. Networks without structure are far from all of
them: a look-up table, random weights and a memoriser have price 1, variance below a tenth by coset circuits, and no labels.
The statuses say nothing about whether the network is right.
"""

from verify.program.program import Circuit, Program
from verify.record.summary import Explained, ExplainedStatus

#: status, greatest price, least variance explained, least share of energy in labelled neurons
STEPS: tuple[tuple[ExplainedStatus, float, float, float], ...] = (("explained", 0.25, 0.9, 0.9), ("in part", 0.75, 0.5, 0.5))

#: From this price on a program is called the network written out; above the last step it is nearly as long.
WRITTEN_OUT = 0.95


def reads_cosets(circuit: Circuit, order: int) -> bool:
    """Whether both preactivations of a circuit are given by fewer integers than the group has elements.

    The weights of its forms count here, those that are 0 aside: any function can be written into as many weights as there are
    elements, but a form with one weight looks at the cosets of one subgroup and nothing else.
    """
    first = circuit.neurons[0]
    sides = (first.left, circuit.left), (first.right, circuit.right)
    return all(len(t) + sum(weight != 0 for term in form.terms for weight in term.weights) < order for t, form in sides)


def structured_positions(program: Program) -> list[int]:
    """Positions, in the program's order of neurons, of those in circuits that are ``reads_cosets``."""
    inside = [reads_cosets(circuit, program.group.order) for circuit in program.circuits for _ in circuit.neurons]
    return [position for position, kept in enumerate(inside) if kept]


def explained(
    constants: int,
    live_parameters: int,
    logit_fve: float | None,
    energy_labelled: float,
    prime_order: bool = False,
    dead: bool = False,
) -> Explained:
    """The status by the table of the module's docstring, its figures, and a sentence that names them.

    In a group of prime order no coset explains anything: the status is "not explained", and the sentence says why. ``dead`` says that
    other neurons than those of ``live_parameters`` change no answer, so that the sentence says whose parameters it means.
    """
    ratio = constants / live_parameters if live_parameters else None
    status: ExplainedStatus = "not explained"
    if ratio is not None and logit_fve is not None:
        for name, price, variance, structure in reversed(STEPS):
            if ratio <= price and logit_fve >= variance and energy_labelled >= structure:
                status = name
    if prime_order:
        words = "not explained: a group of prime order has no subgroups but 1 and itself, so cosets cannot explain anything here"
        return Explained("not explained", ratio, logit_fve, energy_labelled, words)
    return Explained(status, ratio, logit_fve, energy_labelled, sentence(status, ratio, logit_fve, energy_labelled, dead))


def sentence(status: ExplainedStatus, ratio: float | None, logit_fve: float | None, energy_labelled: float, dead: bool = False) -> str:
    """The status in words, with its three figures."""
    heads = {"explained": "explained by cosets", "in part": "explained in part"}
    if ratio is None:
        return "not explained: no neuron of the network can change an answer"
    if status == "not explained":
        length = "is the network written out" if ratio > WRITTEN_OUT else "is nearly as long as the network written out"
        head = f"not explained: the program {length}" if ratio > STEPS[-1][1] else "not explained"
    else:
        head = heads[status]
    variance = (
        "no variance to explain" if logit_fve is None else f"{percentage(logit_fve)} of the logits' variance by circuits on cosets"
    )
    of_live = " of neurons that can change an answer" if dead else ""
    return (
        f"{head}; a program of {percentage(ratio)} of the parameters{of_live}, {variance}, "
        f"{percentage(energy_labelled)} of the energy in neurons with coset structure"
    )


def percentage(share: float, digits: int = 1) -> str:
    """A share as a percentage that says "100" or "0" of all or nothing alone, and "none" of what is negative.

    ``digits`` stand behind the point; what would be rounded to 100 or 0 is "over 99.9 %" or "less than 0.1 %".
    """
    if share < 0:
        return "none"
    if share in (0, 1):
        return f"{100 * share:.0f} %"
    text = f"{100 * share:.{digits}f}"
    if float(text) == 0:
        return f"less than {10**-digits:.{digits}f} %"
    return f"over {100 - 10**-digits:.{digits}f} %" if float(text) >= 100 else f"{text} %"

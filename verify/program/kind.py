"""What kind of neuron a circuit's forms describe, in one word."""

from typing import Literal

from verify.program.program import Circuit, Program

Kind = Literal["coset", "twisted", "dual", "sign", "raw"]


def kind_of(circuit: Circuit, program: Program) -> Kind:
    """The kind of the neurons of a circuit, from the forms through which they read x and y.

    With both forms on one-sided cosets: *twisted* where a character is named, *sign* where both subgroups have index two, *coset* for x
    on right and y on left cosets, *dual* for x on left and y on right cosets. Everything else is *raw*.
    """
    on = (circuit.left.on, circuit.right.on)
    if not {*on} <= {"right cosets", "left cosets"}:
        return "raw"
    if {*circuit.left.kernels, *circuit.right.kernels} - {None}:
        return "twisted"
    subgroups = [program.subgroups[form.subgroups[0]] for form in (circuit.left, circuit.right)]
    if all(2 * subgroup.order == program.group.order for subgroup in subgroups):
        return "sign"
    return "coset" if on == ("right cosets", "left cosets") else "dual" if on == ("left cosets", "right cosets") else "raw"

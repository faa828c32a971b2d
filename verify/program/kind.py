"""What kind of neuron a circuit's forms describe, in one word."""

from typing import Literal

from verify.program.form import WEIGHTED, Form
from verify.program.program import Circuit, Program

Kind = Literal["coset", "twisted", "dual", "sign", "rank one", "raw"]


def kind_of(circuit: Circuit, program: Program) -> Kind:
    """The kind of the neurons of a circuit, from the forms through which they read x and y.

    Images of one point are right cosets here, preimages of one point left ones, with a shared list too. With both forms on one-sided
    cosets: *sign* where both are on subgroups of index two, or on the whole group with a character of the group, *twisted* where a
    character is named, *coset* for x on right and y on left cosets, *dual* for x on left and y on right cosets. Where at least one
    is on images or preimages of several points, or on rank 1, and the other on any of these: *rank one*. Everything else is *raw*.
    Of a sum the first part counts.
    """
    forms = (circuit.left.terms[0], circuit.right.terms[0])
    sides = tuple(side_of(form) for form in forms)
    if None in sides:
        return "raw"
    if "rank one" in sides:
        return "rank one"
    if all(_reads_a_sign(form, program) for form in forms):
        return "sign"
    if {*forms[0].kernels, *forms[1].kernels} - {None}:
        return "twisted"
    return "coset" if sides == ("right", "left") else "dual" if sides == ("left", "right") else "raw"


def side_of(form: Form) -> Literal["right", "left", "rank one"] | None:
    """The side of the cosets on which the form's functions are constant up to a sign, or that they are of rank one; None if neither."""
    if form.on in WEIGHTED and sum(weight != 0 for weight in form.weights) == 1:
        return "right" if form.on == "images" else "left"
    if form.on in WEIGHTED or (form.on == "rank" and form.rank == 1):
        return "rank one"
    return "right" if form.on == "right cosets" else "left" if form.on == "left cosets" else None


def _reads_a_sign(form: Form, program: Program) -> bool:
    order, whole = program.subgroups[form.subgroups[0]].order, program.group.order
    if form.kernels and form.kernels[0] is not None:
        return form.on in WEIGHTED and order == whole
    return 2 * order == whole

"""A claims file to begin with: true of most networks that multiply, and meant to be changed."""

TEMPLATE = """\
# Claims about a network; decide them with: verify claims {name} --checkpoint FILE --group {group}
# The kinds of claims and their keys: docs/claims.md

title = "my claims"
group = "{group}"

# every pair (x, y) is answered xy
[[claims]]
id = "right"
kind = "accuracy"
at_least = 1.0

# for at least 9 pairs in 10 a float32 forward pass gives the same answer in any order of summation
[[claims]]
id = "deployed"
kind = "float32"
at_least = 0.9

# at least one neuron reads x through cosets of a point stabiliser, to 5 % of its spread
[[claims]]
id = "sees points"
kind = "coset neurons"
subgroup = "point stabiliser"
within = 0.05
at_least = 1
"""


def template(name: str, group: str) -> str:
    """The text of a claims file called ``name``, about a group."""
    return TEMPLATE.format(name=name, group=group or "S5")

"""A malformed claims file: one sentence on stderr that ends with the path of the mistake, exit code 4, nothing on stdout."""

import pytest

from verify.cli import execute
from verify.exit_codes import ExitCode

ONE = '[[claims]]\nkind = "accuracy"\n'

#: What is wrong -> (the file, the path that the sentence names, a word of the sentence).
MISTAKES = {
    "no TOML": ('[[claims]\nkind = "accuracy"', "", "TOML"),
    "not UTF-8": (b'[[claims]]\nkind = "\xff"', "", "TOML"),
    "empty file": ("", "$", "claims"),
    "no claims": ("claims = []", "$.claims", "at least one"),
    "claims no list": ('claims = "accuracy"', "$.claims", "array"),
    "unknown key of the file": ('author = "me"\n' + ONE, "$", "author"),
    "unknown key of a claim": (ONE + 'colour = "red"\n', "$.claims[0]", "colour"),
    "kind no text": ("[[claims]]\nkind = ['accuracy']\n", "$.claims[0].kind", "got `list`"),
    "kind a table": ("[[claims]]\nkind = { accuracy = 1 }\n", "$.claims[0].kind", "got `dict`"),
    "criterion no text": ("[[claims]]\nkind = 'ablation'\nneurons = { by = [] }\n", "$.claims[0].neurons.by", "got `list`"),
    "program no path": ("[[claims]]\nkind = 'program'\nprogram = \"a\\u0000b\"\n", "$.claims[0].program", "null"),
    "unknown kind": ('[[claims]]\nkind = "acuracy"\n', "$.claims[0].kind", "acuracy"),
    "kind missing": ("[[claims]]\nat_least = 1.0\n", "$.claims[0]", "kind"),
    "required key missing": ('[[claims]]\nkind = "dead"\n', "$.claims[0]", "neuron"),
    "wrong type": (ONE + "[[claims]]\nkind = 'dead'\nneuron = 'three'\n", "$.claims[1].neuron", "int"),
    "negative neuron": ("[[claims]]\nkind = 'dead'\nneuron = -1\n", "$.claims[0].neuron", ">= 0"),
    "neuron beyond the width": ("[[claims]]\nkind = 'dead'\nneuron = 4096\n", "$.claims[0].neuron", "4096"),
    "bound no number": (ONE + "at_least = 'most'\n", "$.claims[0].at_least", "most"),
    "bound divides by zero": (ONE + "at_least = '1/0'\n", "$.claims[0].at_least", "1/0"),
    "bound not finite": (ONE + "at_least = nan\n", "$.claims[0].at_least", "nan"),
    "bound with a huge exponent": (ONE + "at_least = '1e999999999'\n", "$.claims[0].at_least", "three digits"),
    "bound of thousands of digits": (ONE + "at_least = '0." + "9" * 5000 + "'\n", "$.claims[0].at_least", "200 characters"),
    "share above all": (ONE + "at_least = 95\n", "$.claims[0].at_least", "0.95, not as 95"),
    "share below none": (ONE + "at_most = -0.5\n", "$.claims[0].at_most", "keep to"),
    "exactly out of reach": (ONE + "exactly = '3/2'\n", "$.claims[0].exactly", "keep to"),
    "tolerance not finite": (ONE + "tolerance = inf\n", "$.claims[0].tolerance", "finite"),
    "published not finite": (ONE + "published = nan\n", "$.claims[0].published", "finite"),
    "within not finite": (
        "[[claims]]\nkind = 'silent'\nneuron = 0\nsubgroup = 'F20#1'\nwithin = inf\n",
        "$.claims[0].within",
        "finite",
    ),
    "weight not finite": ("[[claims]]\nkind = 'votes'\nweights = { F20 = inf }\n", "$.claims[0].weights.F20", "finite"),
    "threshold not finite": (
        "[[claims]]\nkind = 'ablation'\nneurons = { by = 'concentration', below = inf }\n",
        "$.claims[0].neurons.below",
        "finite",
    ),
    "irrep twice": ("[[claims]]\nkind = 'gcr'\nirreps = ['(4,1)', '(4,1)']\n", "$.claims[0].irreps[1]", "twice"),
    "irrep used twice": (
        "[[claims]]\nkind = 'irrep use'\nlevel = 'energy'\nirreps = ['(4,1)', '(4,1)']\n",
        "$.claims[0].irreps[1]",
        "twice",
    ),
    "bounds that contradict": (ONE + "at_least = 0.9\nat_most = 0.1\n", "$.claims[0].at_least", "at_most"),
    "exactly and a bound": (ONE + "at_least = 0.9\nexactly = 1\n", "$.claims[0].exactly", "alone"),
    "id twice": ((ONE + "id = 'a'\n") * 2, "$.claims[1].id", "twice"),
    "unknown word": ("[[claims]]\nkind = 'intervention'\nsurgery = 'lobotomy'\n", "$.claims[0].surgery", "lobotomy"),
    "noise keys without noise": (
        "[[claims]]\nkind = 'intervention'\nsurgery = 'flip left'\nseed = 3\n",
        "$.claims[0].surgery",
        "noise",
    ),
    "negative tolerance": (ONE + "tolerance = -1.0\n", "$.claims[0].tolerance", ">= 0"),
    "no element": (ONE + "pairs = [['(1 2)', '(1 9)']]\n", "$.claims[0].pairs[0][1]", "1 to 5"),
    "pair of three": (ONE + "pairs = [['()', '()', '()']]\n", "$.claims[0].pairs[0]", "length 2"),
    "unknown subgroup": (
        "[[claims]]\nkind = 'on cosets'\nneuron = 0\nof = 'left'\nsubgroup = 'F21'\n",
        "$.claims[0].subgroup",
        "F21",
    ),
    "kernel not of index two": (
        "[[claims]]\nkind = 'on cosets'\nneuron = 0\nof = 'left'\nsubgroup = 'S4 fixing 1'\nkernel = 'C3'\n",
        "$.claims[0].kernel",
        "index two",
    ),
    "unknown irrep": (
        "[[claims]]\nkind = 'on irrep'\nneuron = 0\nof = 'left'\nirrep = '(6)'\n",
        "$.claims[0].irrep",
        "(6)",
    ),
    "unknown irrep in a list": ("[[claims]]\nkind = 'gcr'\nirreps = ['(4,1)', '(9)']\n", "$.claims[0].irreps[1]", "(9)"),
    "unknown class in a formula": ("[[claims]]\nkind = 'votes'\nweights = { S9 = 1.0 }\n", "$.claims[0].weights.S9", "S9"),
    "empty formula": ("[[claims]]\nkind = 'votes'\nweights = {}\n", "$.claims[0].weights", "at least one"),
    "no such program": ("[[claims]]\nkind = 'program'\nprogram = 'none.json'\n", "$.claims[0].program", "none.json"),
    "unknown criterion": ("[[claims]]\nkind = 'ablation'\nneurons = { by = 'colour' }\n", "$.claims[0].neurons.by", "colour"),
    "share above one": (
        "[[claims]]\nkind = 'ablation'\nneurons = { by = 'random', share = 1.5 }\n",
        "$.claims[0].neurons.share",
        "<= 1",
    ),
    "neuron of a list beyond the width": (
        "[[claims]]\nkind = 'ablation'\nneurons = { by = 'number', neurons = [0, 999] }\n",
        "$.claims[0].neurons.neurons[1]",
        "999",
    ),
    "unknown group": ("group = 'X9'\n" + ONE, "$.group", "X9"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_gets_one_sentence_with_its_path(name, tmp_path, capfd):
    """Exit code 4, one line on stderr with the path of the mistake, nothing on stdout."""
    text, path, says = MISTAKES[name]
    file = tmp_path / "claims.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())

    from net.bundled import bundled_checkpoint

    code = execute(["claims", str(file), "--checkpoint", str(bundled_checkpoint("S5")), "--quiet"])

    out, err = capfd.readouterr()
    assert (code, out, err.count("\n")) == (ExitCode.MALFORMED, "", 1)
    assert says in err
    assert not path or f"`{path}`" in err


def test_there_are_many_kinds_of_mistakes():
    """At least twenty different mistakes are tried."""
    assert len(MISTAKES) >= 20


def test_no_such_file_or_library_names_the_libraries(capfd):
    """A name that is neither a file nor a library is answered with the libraries' names."""
    assert execute(["claims", "standers", "--group", "S5"]) == ExitCode.MALFORMED
    assert "chughtai, he, levels, mccracken, morwani, necessity, stander, wu, wu-appendix-h" in capfd.readouterr().err

"""The script that writes docs/published-claims.md: how figures of many networks become a row."""

from pathlib import Path

from verify.claims.claim import Outcome
from verify.claims.schema import read_claims

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "scripts" / "published_claims.py"


def measured(figure, agrees):
    return Outcome("MEASURED", "", figure, agrees=agrees)


def test_switches_with_one_set_of_values_are_always_right(script):
    """Twenty-five neurons with the same values suffice; drawn for each anew they do not."""
    assert script.hand_built(25, True, 0) == 1.0
    assert script.hand_built(25, False, 0) < 0.1


def test_agreement_counts_networks_and_compares_the_median(script, claim):
    """Two of three networks agree, and so does the median."""
    one = claim("gcr", published=0.5, tolerance=0.1)
    outcomes = [measured(0.45, True), measured(0.5, True), measured(0.9, False)]

    assert script._agreement(one, outcomes) == "2 of 3; the median agrees"
    assert script._agreement(one, [measured(0.9, False)]) == "0 of 1; the median does not"
    assert script._agreement(one, []) == "no network"
    assert script._cell(one, outcomes) == "0.5 [0.45, 0.9]"


def test_verdicts_are_counted_and_skipped_networks_left_out(script, claim):
    """A cell says how often each verdict came; SKIPPED is no verdict."""
    one = claim("accuracy", at_least=1.0)
    outcomes = [Outcome("PROVED", "", 1.0), Outcome("REFUTED", "", 0.8, {}, {"x": "()"}), Outcome("SKIPPED", "")]

    assert script._cell(one, outcomes) == "PROVED 1, REFUTED 1; 0.9 [0.8, 1]"
    assert script._agreement(one, outcomes[:2]) == "1 of 2"


def test_every_comment_is_about_a_claim(script):
    """The remarks beside the figures name claims that there are."""
    import tomllib

    comments = tomllib.loads(script.COMMENTS.read_text())
    libraries = comments.keys() - {"page"}
    assert libraries
    for library in libraries:
        known = {one.id for one in read_claims(ROOT / "verify" / "claims" / "library" / f"{library}.toml").claims}
        assert set(comments[library]) <= known


def test_the_page_has_every_claim_of_the_papers(script):
    """Each id of each library is on the page as it is committed."""
    pages = dict.fromkeys(script.LIBRARIES[:-1], script.PAGE) | dict.fromkeys(script.FURTHER, script.FURTHER_PAGE)
    for library, page in pages.items():
        text = page.read_text()
        claims = read_claims(ROOT / "verify" / "claims" / "library" / f"{library}.toml").claims
        assert claims
        for one in claims:
            assert f"**{one.id}**" in text

"""What changed between two texts, as pieces that make both of them."""

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directory.filieres import differences
from directory.filieres.differences import Change


def marked(before: str, after: str) -> str:
    """'[-old-]' and '[+new+]' where the words differ."""
    signs = {Change.SAME: ("", ""), Change.REMOVED: ("[-", "-]"), Change.ADDED: ("[+", "+]")}
    return "".join(
        signs[piece.change][0] + piece.text + signs[piece.change][1]
        for piece in differences.compare(before, after)
    )


@pytest.mark.parametrize(
    ("before", "after", "seen"),
    [
        ("Une rencontre.", "Une rencontre.", ""),
        ("", "Une rencontre.", "[+Une rencontre.+]"),
        ("Une rencontre.", "", "[-Une rencontre.-]"),
        (
            "Deux rencontres par an. Une lettre.",
            "Trois rencontres par an. Une lettre.",
            "[-Deux-][+Trois+] rencontres par an. Une lettre.",
        ),
        ("Une salle : deux.", "Une salle\u00a0: deux.", ""),
        ("Une salle : deux.", "Une salle\u202f: trois.", "Une salle\u202f: [-deux-][+trois+]."),
        (
            "Une salle. Un mail par mois. Deux heures.",
            "Une salle. Deux heures.",
            "Une salle. [-Un mail par mois. -]Deux heures.",
        ),
        (
            "On entre sans demander.",
            "Chaque personne écrit à l’équipe d’animation.",
            "[-On entre sans demander.-][+Chaque personne écrit à l’équipe d’animation.+]",
        ),
        (
            "Nous voulons une salle blanche et un mail par mois pour nous.",
            "Nous voulons une grande pièce et un mail par mois pour nous.",
            "Nous voulons une [-salle blanche-][+grande pièce+] et un mail par mois pour nous.",
        ),
    ],
)
def test_words_that_changed_are_marked_and_others_are_not(
    before: str, after: str, seen: str
) -> None:
    assert marked(before, after) == seen


@given(st.text(alphabet="ab .!\n", max_size=60), st.text(alphabet="ab .!\n", max_size=60))
def test_the_pieces_make_both_texts(before: str, after: str) -> None:
    pieces = differences.compare(before, after)
    if before == after:
        assert pieces == []
        return
    assert "".join(one.text for one in pieces if one.change is not Change.ADDED) == before
    assert "".join(one.text for one in pieces if one.change is not Change.REMOVED) == after
    assert all(one.change is not two.change for one, two in itertools.pairwise(pieces))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a. " * 660, "b. a. " * 330),
        ("ab cd ef " * 220, "cd ab gh " * 220),
        (". " * 999, " ." * 999),
    ],
)
def test_no_text_takes_long(before: str, after: str) -> None:
    start = time.perf_counter()
    differences.compare(before, after)
    assert time.perf_counter() - start < 0.5

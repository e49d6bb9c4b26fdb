"""One text in three languages."""

from datetime import date

from directory import languages
from directory.http.pages import Format
from directory.languages import Label


def test_a_label_within_a_sentence_is_translated_with_it() -> None:
    sentence = (
        "La filière est à l’étape «\u202f%(from_stage)s\u202f»\u00a0: celle-là ne la suit pas."
    )
    said = languages.translate("en", sentence, from_stage=Label("Proposée"))
    assert "Propos" in said
    assert "Proposée" not in said


def test_french_counts_nought_as_singular_and_the_others_do_not() -> None:
    one, many = "%(count)s membre trouvé", "%(count)s membres trouvés"
    assert languages.translate_count("fr", one, many, 0) == "0 membre trouvé"
    assert languages.translate_count("en", one, many, 0) == languages.translate_count(
        "en", one, many, 2
    ).replace("2", "0")


def test_what_a_person_wrote_is_escaped_within_a_text() -> None:
    say = languages.speaker("fr", html=True)["_"]
    assert str(say("Bonjour %(name)s", name="<b>")) == "Bonjour &lt;b&gt;"


def test_a_language_that_is_not_spoken_is_answered_in_french() -> None:
    assert languages.negotiate(None, "xx", accept=["de", "nl-BE", "fr"]) == "nl"
    assert languages.negotiate(None, accept=["de"]) == "fr"


def test_french_counts_the_first_day_of_a_month_and_no_other() -> None:
    first = date(2027, 1, 1)
    assert Format("fr").day(first) == "1er janvier 2027"
    assert Format("fr").day(first, "EEEE d MMM") == "vendredi 1er janv."
    assert Format("fr").day(first, "d") == "1"
    assert Format("fr").day(date(2027, 1, 11)) == "11 janvier 2027"
    assert Format("nl").day(first) == "1 januari 2027"

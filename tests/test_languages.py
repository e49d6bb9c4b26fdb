"""One text in three languages."""

from directory import languages
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

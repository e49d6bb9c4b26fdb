import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from search import endings, highlight, normaliser, stopwords
from search.documents import Sought

ANY_TEXT = st.text(st.characters(exclude_categories=())) | st.text("aeéinrstxœ·.-/() 'C+#\0\u0301")


def forms(text: str) -> list[str]:
    return [word.form for word in normaliser.words(text)]


def keys(text: str) -> set[str]:
    return {word.key for word in normaliser.words(text)}


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("ÉCOLE", "ecole"),
        ("e\u0301cole", "ecole"),
        ("Œuvre, Lætitia", "oeuvre, laetitia"),
        ("STRAẞE ﬁn", "strasse fin"),
        ("l\u2019art\u00a0et  l\u02bcatelier", "l'art et l'atelier"),
        ("Saint\u2011Étienne", "saint-etienne"),
        ("comédien•ne", "comedien·ne"),
        ("Łódź, Øresund, İzmir", "lodz, oresund, izmir"),
        ("a\u200bb\u00adc", "abc"),
        ("a\0b\ud800", "a b"),
    ],
)
def test_case_accents_ligatures_and_signs_are_folded(written: str, folded: str) -> None:
    assert normaliser.fold(written) == folded


@pytest.mark.parametrize(
    ("written", "masculine", "feminine"),
    [
        ("comédien·ne·s", "comediens", "comediennes"),
        ("comédien.ne", "comedien", "comedienne"),
        ("comédien-ne-s", "comediens", "comediennes"),
        ("formateur·rice", "formateur", "formatrice"),
        ("formateur·trice", "formateur", "formatrice"),
        ("formateur·ice·s", "formateurs", "formatrices"),
        ("acteurs·rices", "acteurs", "actrices"),
        ("auteur(e)s", "auteurs", "auteures"),
        ("auteur(e)(s)", "auteurs", "auteures"),
        ("traducteur/trice", "traducteur", "traductrice"),
        ("développeur.euse", "developpeur", "developpeuse"),
        ("Développeur·se", "developpeur", "developpeuse"),
        ("developpeur(se)", "developpeur", "developpeuse"),
        ("danseurs·ses", "danseurs", "danseuses"),
        ("danseur / euse", "danseur", "danseuse"),
        ("conseiller-ère", "conseiller", "conseillere"),
        ("infirmier·ière", "infirmier", "infirmiere"),
        ("créatif·ve", "creatif", "creative"),
        ("heureux·se", "heureux", "heureuse"),
        ("professionnel•les", "professionnels", "professionnelles"),
        ("employé·e", "employe", "employee"),
        ("ambassadeur·rice", "ambassadeur", "ambassadrice"),
        ("jumeau·elle", "jumeau", "jumelle"),
        ("public·que", "public", "publique"),
    ],
)
def test_inclusive_writing_gives_both_full_forms(
    written: str, masculine: str, feminine: str
) -> None:
    assert forms(written) == [masculine, feminine]
    assert len(keys(written)) == 1


def test_inclusive_forms_keep_their_accents_for_showing() -> None:
    spellings = [word.spelling for word in normaliser.words("Développeur·se Conseiller·ère")]
    assert spellings == ["développeur", "développeuse", "conseiller", "conseillère"]


@pytest.mark.parametrize(
    "typed", ["développeur·", "développeur·e", "développeur·eu", "développeur("]
)
def test_inclusive_writing_still_being_typed_is_one_word(typed: str) -> None:
    assert keys(typed) == {endings.key("developpeur")}


def test_signs_that_look_like_inclusive_writing_and_are_not_separate_words() -> None:
    assert forms("node.js") == ["node", "js"]
    assert forms("son/image") == ["son", "image"]
    assert forms("Aix-les-Bains") == ["aix", "les", "bains"]


@pytest.mark.parametrize(
    "same",
    [
        "formateur formatrice formateurs formatrices formateur·rice formateurice",
        "développeur développeuse developpeurs développeuses",
        "comédien comédienne comédiens comédiennes",
        "conseiller conseillère conseillères",
        "auteur auteure autrice auteurs autrices",
        "ambassadeur ambassadrice",
        "chef cheffe chefs cheffes",
        "artisan artisane artisans",
        "employé employée employés employées",
        "créatif créative créatifs",
        "audiovisuel audiovisuelle audiovisuels",
        "journal journaux",
        "travail travaux",
        "lieu lieux",
        "tableau tableaux",
        "public publique publics",
        "heureux heureuse heureuses",
        "maître maîtresse",
        "designer designeuse designeur designers",
        "manager manageuse",
        "caméraman camerawoman",
        "architect architecten",
        "vertaler vertalers",
        "handelaar handelaarster",
        "company companies",
    ],
)
def test_gender_and_number_do_not_part_words(same: str) -> None:
    assert len(keys(same)) == 1


@pytest.mark.parametrize(
    "apart",
    [
        "cours course",
        "bus buse",
        "emploi employé",
        "art are",
        "vers verre",
        "danse dans",
        "C C++ C#",
    ],
)
def test_words_that_only_look_alike_stay_apart(apart: str) -> None:
    assert len(keys(apart)) == len(apart.split())


def test_c_plus_plus_and_c_sharp_are_words() -> None:
    assert forms("C++, C# et F#; a+b, n#1") == ["c++", "c#", "et", "f#", "a", "b", "n", "1"]


def test_a_hyphenated_word_is_also_one_word_without_its_hyphen() -> None:
    assert "webdesigner" in forms("web-designer")
    assert "oconnor" in forms("O’Connor")
    assert "lartisan" not in forms("l'artisan")


def test_an_unfinished_word_finds_the_key_its_ending_will_give() -> None:
    for word in ("musique", "développeuse", "formatrice", "créative", "journaux", "comédienne"):
        form = normaliser.fold(word)
        for length in range(3, len(form) + 1):
            typed = form[:length]
            wanted = endings.key(form)
            assert wanted.startswith(typed) or wanted in endings.unfinished(typed), typed


def test_long_hostile_texts_take_linear_time() -> None:
    for piece in ("a", "a·", "e\u0301\u0316", "(e)", "aaa·e·", "aaa /", "-", "'", "\u0301", "é.e "):
        assert len(list(normaliser.words(piece * 50_000))) <= 250_000


def test_stopwords_are_forms() -> None:
    assert all(normaliser.fold(word) == word for word in stopwords.STOPWORDS)


@given(ANY_TEXT)
@example("\ufb03\u1e9b\u0323\u2126\u0130")
def test_folding_twice_is_folding_once(text: str) -> None:
    once = normaliser.fold(text)
    assert normaliser.fold(once) == once


def test_folding_any_single_character_twice_is_folding_it_once() -> None:
    every = (chr(code) for code in range(0x20000))
    assert [c for c in every if normaliser.fold(normaliser.fold(c)) != normaliser.fold(c)] == []


@given(ANY_TEXT)
def test_words_of_any_text_are_clean_and_their_own_normal_form(text: str) -> None:
    for word in normaliser.words(text):
        assert word.form
        assert len(word.form) <= normaliser.LONGEST
        assert all(c.isalnum() or c in "+#" for c in word.form)
        assert endings.key(word.key) == word.key
        assert word.key.encode()
        assert word.spelling.encode()


@given(st.text("aeéinrstuxlcy", max_size=14))
def test_a_key_is_its_own_key_and_is_never_empty(word: str) -> None:
    form = normaliser.fold(word)
    assert endings.key(endings.key(form)) == endings.key(form)
    assert bool(endings.key(form)) == bool(form)


@given(ANY_TEXT)
def test_tokens_lie_in_the_text_in_order(text: str) -> None:
    end = 0
    for token in normaliser.tokens(text):
        assert end <= token.start < token.end <= len(text)
        end = token.end


def test_highlights_light_up_the_words_a_person_would_recognise() -> None:
    text = "Développeur·se web, formatrice"
    lit = highlight.matches(
        text,
        [
            Sought((endings.key("developpeur"),)),
            Sought((endings.key("formateur"),)),
            Sought((), "we"),
        ],
    )
    assert [text[match.start : match.end] for match in lit] == [
        "Développeur·se",
        "web",
        "formatrice",
    ]


@given(ANY_TEXT, ANY_TEXT)
def test_highlights_of_any_text_lie_in_it(text: str, sought: str) -> None:
    for start, end, _ in highlight.matches(text, [Sought(tuple(keys(sought)), sought[:2] or None)]):
        assert 0 <= start < end <= len(text)

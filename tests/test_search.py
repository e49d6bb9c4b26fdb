"""The contract of the search: it holds on every engine that is there."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from search import spelling, terms
from search.documents import Engine, FacetCount, Query, UnknownFacet
from tests.engines import Find, engine, find, is_reader, people, server, shared, shelf
from tests.shelf import DAY, INDEX, Shelf, counts

__all__ = ["engine", "find", "is_reader", "people", "server", "shared", "shelf"]


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("developeuse web", 1),  # typo
        ("devleoppeuse", 1),  # two letters changed places
        ("graphsite", 2),
        ("traductrisse", 3),
        ("fromatrice", 3),
        ("DÉVELOPPEUSE", 1),  # case and accents
        ("developpeuse", 1),
        ("oeuvrard", 5),
        ("lefevre", 1),
        ("développeur web", 1),  # gender
        ("formateur", 3),
        ("traductrice", 3),
        ("comedienne", 5),
        ("développeur·euse web", 1),  # inclusive writing
        ("developpeur(se)", 1),
        ("formateur.rice", 3),
        ("comédien-ne-s", 5),
        ("formatrices", 3),  # plural
        ("graphistes", 2),
        ("dév", 1),  # prefix
        ("graph", 2),
        ("développeus", 1),
        ("web développ", 1),
        ("devellop", 1),  # a typo inside a prefix
        ("web développeuse", 1),  # order of words
        ("lefèvre léa", 1),
        ("développeuse de sites web", None),
        ("développeuse du web", 1),  # words that say nothing
        ("je cherche une développeuse web", 1),
        ("ik zoek een webontwikkelaar", 1),
        ("looking for a web developer", 1),
        ("webontwikkelaar", 1),  # other languages
        ("web developer", 1),
        ("grafisch ontwerper", 2),
        ("oconnor", 3),  # apostrophe and hyphen
        ("o’connor", 3),
        ("jeanpierre", 5),
        ("jean pierre", 5),
        ("webdesigner", 6),
        ("web designeuse", 6),
        ("van damme", 6),
        ("van", 6),
        ("c++", 5),
        ("C#", 5),
        ("léa yoga", None),  # every word must be there
        ("xylophone", None),
        ("c#+", 5),
    ],
)
async def test_what_people_type_finds_whom_they_mean(
    find: Find, typed: str, first: int | None
) -> None:
    hits = await find(typed)
    assert hits.ids[:1] == ([] if first is None else [first])
    assert hits.total == len(hits.ids)


@pytest.mark.usefixtures("people")
async def test_a_correction_is_said_and_can_be_undone(find: Find) -> None:
    hits = await find("developeuse web")
    assert [(c.typed, c.used) for c in hits.corrections] == [("developeuse", ["développeuse"])]
    assert (await find("développeuse web")).corrections == []
    undone = await find("developeuse web", exact=True)
    assert (undone.ids, undone.total, undone.corrections) == ([], 0, [])


@pytest.mark.usefixtures("people")
async def test_short_words_and_words_with_figures_are_not_corrected(find: Find) -> None:
    for typed in ("wib", "c+", "yoga2"):
        assert (await find(typed)).corrections == []
    assert (await find("yoag")).ids == [5]


@pytest.mark.usefixtures("people")
async def test_a_word_known_to_be_right_is_not_corrected(find: Find) -> None:
    assert (await find("graphisme")).ids == [2, 4]
    hits = await find("graphisme", spelled=frozenset({"graphisme"}))
    assert (hits.ids, hits.corrections) == ([], [])


async def test_only_the_nearest_words_are_searched_instead(shelf: Shelf, find: Find) -> None:
    await shelf.put(1, title=("Peintre",))
    await shelf.put(2, title=("Peinture",))
    hits = await find("peintrxe")
    assert hits.ids == [1]
    assert hits.corrections[0].used == ["peintre"]


async def test_a_word_counts_more_in_the_title_than_in_summary_vocabulary_and_body(
    shelf: Shelf, find: Find
) -> None:
    for id_, field in enumerate(("body", "vocabulary", "summary", "title"), 1):
        shelf.lay(id_, **{field: ("céramiste",)})
    await shelf.index(1, 2, 3, 4)
    assert (await find("céramiste")).ids == [4, 3, 2, 1]
    assert (await find("cér")).ids == [4, 3, 2, 1]


async def test_among_equals_the_fresh_come_first(shelf: Shelf, find: Find) -> None:
    for id_, age in enumerate((700, 200, 10, 20), 1):
        shelf.lay(id_, title=("Luthière",), fresh_on=DAY - timedelta(age))
    shelf.lay(5, title=("Luthière",), fresh_on=None)
    await shelf.index(1, 2, 3, 4, 5)
    for text in ("", "luthier"):
        ids = (await find(text)).ids
        assert set(ids[:2]) == {3, 4}
        assert ids[2] == 2
    assert (await find(sort="fresh")).ids == [3, 4, 2, 1, 5]


async def test_names_sort_without_case_and_accents(shelf: Shelf, find: Find) -> None:
    for id_, name in enumerate(("Zoé", "Éric", "eva", "Andrée"), 1):
        shelf.lay(id_, sort_name=name)
    await shelf.index(1, 2, 3, 4)
    assert (await find(sort="name")).ids == [4, 2, 3, 1]


async def test_an_exact_query_does_not_look_at_what_only_resembles(
    shelf: Shelf, find: Find
) -> None:
    shelf.lay(1, title=("Graphiste",), vocabulary=("vormgever",), related=("maquettiste",))
    shelf.lay(
        2, title=("Infographiste",), body=("J’ai été maquettiste.",), related=("maquettiste",)
    )
    await shelf.index(1, 2)
    assert set((await find("maquettiste")).ids) == {1, 2}
    assert (await find("maquettiste", exact=True)).ids == [2]
    assert (await find("maquett", exact=True)).ids == [2]
    assert (await find("vormgever", exact=True)).ids == [1]


async def test_the_order_is_another_each_day_and_stable_while_paging(
    shelf: Shelf, find: Find
) -> None:
    for id_ in range(1, 31):
        shelf.lay(id_, "members", title=("Danseuse",))
    await shelf.index(*range(1, 31))
    for text in ("", "danseur"):
        whole = (await find(text, limit=50)).ids
        pages = [(await find(text, page=page, limit=7)).ids for page in range(1, 6)]
        assert [id_ for page in pages for id_ in page] == whole
        assert sorted(whole) == list(range(1, 31))
        assert (await find(text, limit=50)).ids == whole
        assert (await find(text, limit=50, day=DAY + timedelta(1))).ids != whole


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("page", [2, 10, 10**9, 10**30])
async def test_a_page_beyond_the_end_is_empty_with_the_right_total(find: Find, page: int) -> None:
    hits = await find(page=page)
    assert (hits.ids, hits.total) == ([], 6)


@pytest.mark.parametrize("wrong", [{"page": 0}, {"limit": 51}, {"limit": 0}, {"audience": "all"}])
def test_a_query_out_of_bounds_cannot_be_made(wrong: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError, match=r"page|audience|enum"):
        msgspec.convert({"audience": "public", "day": DAY} | wrong, Query)


def test_a_query_must_name_its_audience() -> None:
    with pytest.raises(msgspec.ValidationError, match="audience"):
        msgspec.convert({"day": DAY}, Query)


@pytest.mark.usefixtures("people")
async def test_facets_are_counted_over_all_hits(find: Find) -> None:
    hits = await find("web", facets=("region", "language"), limit=1)
    assert hits.total == 3
    assert counts(hits, "region") == {"BE-BRU": 1, "BE-VWV": 1, "FR-HDF": 1}
    assert hits.facets["language"] == [FacetCount("fr", 2), FacetCount("nl", 1)]
    assert "trade" not in hits.facets


@pytest.mark.usefixtures("people")
async def test_filters_take_any_value_of_a_facet_and_all_facets(find: Find) -> None:
    assert set((await find(filters={"region": ["BE-BRU", "BE-VWV"]})).ids) == {1, 2, 6}
    both = {"region": ["BE-BRU"], "language": ["fr"]}
    assert (await find(filters=both)).ids == [1]
    assert (await find("graphiste", filters=both)).ids == []
    assert (await find(filters={"region": []})).total == 6


@pytest.mark.usefixtures("people")
async def test_a_choice_does_not_empty_the_other_values_of_its_own_facet(find: Find) -> None:
    hits = await find(filters={"region": ["BE-BRU"]}, facets=("region", "language"))
    assert counts(hits, "region") == {"BE-BRU": 2, "FR-HDF": 2, "BE-VWV": 1}
    assert counts(hits, "language") == {"nl": 2, "fr": 1}
    two = {"region": ["BE-BRU"], "language": ["fr"]}
    hits = await find(filters=two, facets=INDEX.facets)
    assert hits.total == 1
    assert counts(hits, "region") == {"FR-HDF": 2, "BE-BRU": 1}
    assert counts(hits, "language") == {"nl": 2, "fr": 1}
    assert counts(hits, "trade") == {"web": 1}


@pytest.mark.usefixtures("people")
async def test_a_chosen_value_that_nobody_has_is_counted_as_none(find: Find) -> None:
    hits = await find(filters={"region": ["FR-COR", "\0\ud800"]}, facets=("region",))
    assert hits.total == 0
    assert counts(hits, "region")["FR-COR"] == 0
    hits = await find("xylophone", filters={"region": ["FR-COR"]}, facets=("region",))
    assert counts(hits, "region") == {"FR-COR": 0}


async def test_long_facets_are_cut_after_the_most_frequent_values(
    shelf: Shelf, engine: Engine
) -> None:
    for id_ in range(1, 8):
        shelf.lay(id_, facets={"trade": [f"t{n}" for n in range(id_)]})
    await shelf.index(*range(1, 8))
    short = msgspec.structs.replace(INDEX, facet_values=2)
    query = Query(audience="public", day=DAY, facets=("trade",), filters={"trade": ["t5"]})
    hits = await engine.search(short, query)
    assert counts(hits, "trade") == {"t0": 7, "t1": 6, "t5": 2}


async def test_an_unknown_facet_is_refused(find: Find) -> None:
    with pytest.raises(UnknownFacet, match="colour"):
        await find(filters={"colour": ["red"]})
    with pytest.raises(UnknownFacet, match="colour"):
        await find(facets=("colour",))


async def test_browsing_counts_follow_every_change(shelf: Shelf, find: Find) -> None:
    for wanted in range(3):
        hits = await find(facets=("trade",))
        assert (hits.total, counts(hits, "trade")) == (wanted, {"web": wanted} if wanted else {})
        assert await find(facets=("trade",)) == hits
        await shelf.put(wanted + 1, facets={"trade": ["web"]})


async def test_each_audience_finds_only_what_it_may_see(shelf: Shelf, find: Find) -> None:
    await shelf.put(1, "members", title=("Inès Roux", "Apicultrice"), facets={"trade": ["bees"]})
    await shelf.put(1, "public", title=("Inès Roux",))
    assert (await find("apiculteur")).ids == [1]
    assert (await find("apiculteur", audience="public")).ids == []
    assert (await find("roux", audience="public")).ids == [1]
    assert (await find(audience="public", facets=("trade",))).facets == {"trade": []}
    assert (await find("apicultrixe")).corrections
    assert (await find("apicultrixe", audience="public")).corrections == []


async def test_what_is_hidden_or_deleted_leaves_hits_counts_and_corrections(
    shelf: Shelf, find: Find
) -> None:
    await shelf.put(1, title=("Vannière",), facets={"trade": ["baskets"]})
    await shelf.put(2, title=("Sellière",), facets={"trade": ["saddles"]})
    await shelf.remove(1, "public")
    assert (await find("vannier", audience="public")).total == 0
    assert (await find("vannier")).total == 1
    await shelf.remove(1)
    for audience in ("public", "members"):
        assert (await find("vannier", audience=audience)).total == 0
        assert (await find("vaniere", audience=audience)).corrections == []
        hits = await find(audience=audience, facets=("trade",))
        assert (hits.ids, counts(hits, "trade")) == ([2], {"saddles": 1})


async def test_a_text_that_has_no_words_finds_nobody_and_an_empty_one_everybody(
    people: None, find: Find
) -> None:
    assert (await find("😀")).total == 0
    assert (await find(" \t")).total == 6


async def test_words_in_any_script_are_found(shelf: Shelf, find: Find) -> None:
    await shelf.put(1, title=("مطور ويب", "разработчик", "Ελληνικά", "開発者"))
    for text in ("ويب مطور", "РАЗРАБОТЧИК", "ΕΛΛΗΝΙΚΆ", "ελληνικα", "開発"):
        assert (await find(text)).ids == [1]


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40)


HIDDEN = st.fixed_dictionaries(
    {
        "title": st.lists(st.sampled_from(["graphiste", "dévelopeuse", "wab", "Léa"]) | ANY_TEXT),
        "body": st.lists(st.sampled_from(["photographe", "weeb design"]) | ANY_TEXT),
        "facets": st.dictionaries(
            st.sampled_from(INDEX.facets), st.lists(st.sampled_from(["web", "photo", "zzz"]))
        ),
    }
)


@pytest.mark.usefixtures("people")
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(hidden=st.lists(HIDDEN, min_size=1, max_size=3))
async def test_hidden_values_change_nothing_in_what_the_public_gets(
    shelf: Shelf, find: Find, hidden: list[dict[str, Any]]
) -> None:
    async def everything() -> list[bytes]:
        texts = ("", "dévelopeuse web", "wab", "weeb", "gra", "photo", "zzz", "l")
        return [
            msgspec.json.encode(
                await find(text, audience="public", facets=INDEX.facets, filters=filters, limit=50)
            )
            for text in texts
            for filters in ({}, {"trade": ["web"]}, {"trade": ["photo"], "language": ["fr"]})
        ]

    before = await everything()
    for id_, fields in enumerate(hidden, 5):
        shelf.lay(
            id_, "members", title=tuple(fields["title"]), body=tuple(fields["body"]),
            facets=fields["facets"],
        )  # fmt: skip
    await shelf.index(*range(5, 5 + len(hidden)))
    assert await everything() == before


def test_the_parts_of_a_query_are_few_and_only_the_last_may_go_on() -> None:
    parsed = terms.parse("une développeuse de sites web")
    assert [(term.form, term.prefix) for term in parsed] == [
        ("developpeuse", None),
        ("sites", None),
        ("web", "web"),
    ]
    assert len(terms.parse(" ".join(f"mot{n}" for n in range(100)))) == terms.MOST_TERMS
    assert [term.form for term in terms.parse("web web web")] == ["web", "web"]
    assert [term.form for term in terms.parse("le la")] == ["la"]


def test_two_letters_that_changed_places_are_one_edit() -> None:
    assert spelling.distance("comedein", "comedien") == 1
    assert spelling.distance("photgraphe", "photographe") == 1
    assert spelling.distance("abcd", "dcba") == 3
    assert spelling.distance("devel", "developpeur", is_start=True) == 0
    assert spelling.distance("devlo", "developpeur", is_start=True) == 1
    assert spelling.distance("", "abc") == 3

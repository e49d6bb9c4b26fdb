import asyncpg
import pytest

from directory.members.reference import files, forms, loading, places, sectors, trades


@pytest.mark.parametrize(
    ("appellation", "masculine", "feminine", "inclusive"),
    [
        (
            "Abatteur / Abatteuse de carrière",
            "Abatteur de carrière",
            "Abatteuse de carrière",
            "Abatteur·se de carrière",
        ),
        (
            "Intégrateur / Intégratrice web",
            "Intégrateur web",
            "Intégratrice web",
            "Intégrateur·rice web",
        ),
        ("Comédien / Comédienne", "Comédien", "Comédienne", "Comédien·ne"),
        ("Costumier / Costumière", "Costumier", "Costumière", "Costumier·ère"),
        ("Graphiste", "Graphiste", "Graphiste", "Graphiste"),
        (
            "Directeur artistique / Directrice artistique",
            "Directeur artistique",
            "Directrice artistique",
            "Directeur·rice artistique",
        ),
        (
            "Dessinateur-illustrateur / Dessinatrice-illustratrice",
            "Dessinateur-illustrateur",
            "Dessinatrice-illustratrice",
            "Dessinateur·rice-illustrateur·rice",
        ),
        (
            "Secrétaire Facturier / Facturière",
            "Secrétaire Facturier",
            "Secrétaire Facturière",
            "Secrétaire Facturier·ère",
        ),
        (
            "Ecrivain public / Ecrivaine publique",
            "Ecrivain public",
            "Ecrivaine publique",
            "Ecrivain·e public·que",
        ),
        (
            "Agente / Agent de bio-nettoyage",
            "Agent de bio-nettoyage",
            "Agente de bio-nettoyage",
            "Agent·e de bio-nettoyage",
        ),
        (
            "Homme / Femme de plancher",
            "Homme de plancher",
            "Femme de plancher",
            "Homme / Femme de plancher",
        ),
        ("Booker / Bookeuse", "Booker", "Bookeuse", "Booker / Bookeuse"),
        ("Lapidaire / Diamantaire", "Lapidaire", "Diamantaire", "Lapidaire / Diamantaire"),
    ],
)
def test_an_appellation_has_a_masculine_a_feminine_and_an_inclusive_form(
    appellation: str, masculine: str, feminine: str, inclusive: str
) -> None:
    assert forms.parse(appellation) == (masculine, feminine, inclusive)


def test_every_appellation_of_rome_is_parsed_and_few_keep_both_words() -> None:
    names = [row["appellation_long"] for row in files.read("rome_appellations")]
    parsed = {name: forms.parse(name) for name in names}
    assert len(names) == 13_120
    assert all(form.masculine and form.feminine and form.inclusive for form in parsed.values())
    gendered = [name for name in names if " / " in name]
    assert len(gendered) == 10_884
    assert sum(" / " in parsed[name].inclusive for name in gendered) < 80


@pytest.fixture(scope="module")
def by_code() -> dict[str, trades.Trade]:
    return {trade.code: trade for trade in trades.read()[1]}


def test_web_developer_has_its_names_in_three_languages(by_code: dict[str, trades.Trade]) -> None:
    trade = by_code["14156"]
    assert trade.label_fr == "Développeur·se web"
    assert (trade.label_masculine, trade.label_feminine) == ("Développeur web", "Développeuse web")
    said = {(label.language, label.text) for label in trade.labels}
    assert {("nl", "webontwikkelaar"), ("en", "web developer")} <= said


def test_esco_doubles_are_gone_and_couples_are_parted(by_code: dict[str, trades.Trade]) -> None:
    actor = by_code["12724"]
    assert (actor.label_nl, actor.label_en) == ("Acteur/actrice", "Actor/actress")
    said = [(label.language, label.text) for label in actor.labels]
    assert ("en", "actress") in said
    assert ("en", "actor/actress") not in said
    assert ("fr", "comédien") not in said
    assert len({(language, forms.fold(text)) for language, text in said}) == len(said)


@pytest.fixture(scope="module")
def by_name(by_code: dict[str, trades.Trade]) -> dict[str, trades.Trade]:
    return {trade.label_masculine: trade for trade in by_code.values()}


def said(trade: trades.Trade, *, is_exact: bool) -> set[tuple[str, str]]:
    return {(label.language, label.text) for label in trade.labels if label.is_exact is is_exact}


def test_a_trade_is_found_by_what_it_is_a_kind_of_and_not_named_so(
    by_name: dict[str, trades.Trade],
) -> None:
    photographer = by_name["Photographe itinérant"]
    assert (photographer.label_nl, photographer.label_en) == (None, None)
    assert said(photographer, is_exact=True) == set()
    assert said(photographer, is_exact=False) == {
        ("fr", "photographe"),
        ("nl", "fotograaf"),
        ("en", "photographer"),
    }
    plumber = by_name["Plombier sanitaire"]
    assert {("nl", "loodgieter"), ("en", "plumber")} <= said(plumber, is_exact=False)


@pytest.mark.parametrize(
    ("name", "dutch", "english"),
    [
        # No link at all, or only one to what it is a kind of.
        ("Graphiste", "Grafisch ontwerper", "Graphic designer"),
        ("Soudeur", "Lasser", "Welder"),
        ("Interprète en langue des signes", "Tolk gebarentaal", "Sign language interpreter"),
        # A close link to another occupation.
        ("Psychothérapeute", "Psychotherapeut", "Psychotherapist"),
        ("Guide touristique", "Toeristengids", "Tourist guide"),
        # Other linking words, plurals, what is set aside.
        ("Mécanicien cycles", "Fietsenmaker", "Bicycle mechanic"),
        ("Agent de talent", "Agent", "Talent agent"),
        ("Géophysicien (BTP)", "Geofysicus", "Geophysicist"),
        # The names of Competent, and the English that its link and ROME's agree on.
        ("Serveur", "Kelner", "Waiter/waitress"),
        ("Logopède", "Logopedist", "Speech and language therapist"),
        ("Agriculteur", "Landbouwer", None),
        # A French trade of English name.
        ("Project Manager", "Projectmanager", "Project manager"),
    ],
)
def test_a_trade_is_named_as_the_occupation_of_its_very_name(
    by_name: dict[str, trades.Trade], name: str, dutch: str, english: str | None
) -> None:
    assert (by_name[name].label_nl, by_name[name].label_en) == (dutch, english)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("Chasseur", "jager"),
        ("Groom", "groom"),
        ("Hôte", "steward"),
        ("Huissier (menuisier)", "gerechtsdeurwaarder"),
        ("Jointoyeur", "voeger"),
        ("Pasteur", "herder"),
        ("Tuyauteur", "drainage worker"),
    ],
)
def test_the_same_word_for_another_trade_names_nothing(
    by_name: dict[str, trades.Trade], name: str, wrong: str
) -> None:
    trade = by_name[name]
    told = {text.casefold() for _, text in said(trade, is_exact=True)}
    assert wrong not in told
    assert wrong not in ((trade.label_nl or "").casefold(), (trade.label_en or "").casefold())


def test_another_french_label_helps_to_find_a_trade_without_link_and_is_not_shown(
    by_name: dict[str, trades.Trade],
) -> None:
    geometer = by_name["Technicien géomètre du cadastre"]
    assert geometer.label_nl is None
    assert {("nl", "landmeter kadaster"), ("en", "cadastral technician")} <= said(
        geometer, is_exact=False
    )


def test_an_official_exact_link_stands_before_a_namesake(
    by_name: dict[str, trades.Trade],
) -> None:
    technician = by_name["Technicien en télécommunications"]
    assert technician.label_en == "Telecommunications technician"
    assert ("en", "telecommunications engineering technician") not in said(
        technician, is_exact=True
    )


def test_our_own_names_are_sorted_and_stand_before_all_others(
    by_name: dict[str, trades.Trade],
) -> None:
    ours = list(files.read("trade_names"))
    names = [row["label_masculine"] for row in ours]
    assert names == sorted(set(names), key=forms.fold)
    for row in ours:
        trade = by_name[row["label_masculine"]]
        shown = [(label or "").casefold() for label in (trade.label_nl, trade.label_en)]
        assert shown == [row["label_nl"].casefold(), row["label_en"].casefold()] != ["", ""]


@pytest.mark.parametrize(
    "name",
    [
        "Accordeur de pianos", "Architecte d'intérieur", "Cadreur", "Carreleur", "Céramiste",
        "Chargé de communication", "Coiffeur", "Coach en développement personnel", "Comédien",
        "Comptable", "Consultant en communication", "Costumier", "Couturier", "Cuisinier",
        "Développeur informatique", "Développeur web", "Electricien du bâtiment", "Formateur",
        "Graphiste", "Illustrateur", "Infographiste", "Ingénieur du son", "Jardinier",
        "Journaliste", "Luthier", "Maçon", "Menuisier", "Monteur vidéo", "Musicien",
        "Photographe de mode", "Photographe", "Pianiste", "Plombier chauffagiste", "Plombier",
        "Professeur de yoga", "Réalisateur", "Scénographe", "Traducteur", "Vidéaste", "Webmaster",
    ],
)  # fmt: skip
def test_the_trades_of_many_members_have_names_in_three_languages(
    by_name: dict[str, trades.Trade], name: str
) -> None:
    assert by_name[name].label_nl
    assert by_name[name].label_en


def test_belgian_names_carry_no_mark_of_gender(by_code: dict[str, trades.Trade]) -> None:
    belgian = [
        label.text
        for trade in by_code.values()
        for label in trade.labels
        if label.source == "competent"
    ]
    assert belgian
    assert not [text for text in belgian if "h/f" in text]


def test_little_used_trades_are_marked(by_code: dict[str, trades.Trade]) -> None:
    assert sum(not trade.is_common for trade in by_code.values()) == 199
    assert by_code["14156"].is_common


def test_every_sector_hangs_on_a_section() -> None:
    known = {sector.code: sector for sector in sectors.read()}
    assert len(known) == 2_012
    assert known["62"].parent_code == "K"
    assert known["62.100"].level == 5
    assert known["S"].label_fr == "Arts, sports et activités récréatives"
    assert known["S"].label_de == "Kunst, Sport und Erholung"
    for sector in known.values():
        if sector.level == 1:
            assert sector.parent_code is None
        else:
            assert known[sector.parent_code or ""].level < sector.level


def test_places_carry_iso_regions_and_both_names() -> None:
    regions, found = places.read()
    by_code = {place.code: place for place in found}
    assert len(by_code) == len(found) == 6_761
    assert {place.region_code for place in found} == {region.code for region in regions}
    liege = by_code["be-4020-liege"]
    assert (liege.label_fr, liege.label_nl, liege.region_code) == ("Liège", "Luik", "BE-WLG")
    assert by_code["be-9000-gand"].label_nl == "Gent"
    assert by_code["be-1020-bruxelles"].label_nl == "Laken"
    assert by_code["fr-59350"].region_code == "FR-HDF"


def test_a_district_stands_where_its_city_stands() -> None:
    by_code = {place.code: place for place in places.read()[1]}
    assert by_code["fr-75111"].label_fr == "Paris 11e"
    assert (by_code["fr-75111"].latitude, by_code["fr-75111"].longitude) == places.PARIS
    assert by_code["fr-69383"].latitude == by_code["fr-69123"].latitude is not None
    assert by_code["be-7010-mons"].latitude is None


async def test_loading_twice_writes_once_and_keeps_the_ids(
    connection: asyncpg.Connection,
) -> None:
    await connection.execute("TRUNCATE reference_version")
    first = await loading.load(connection)
    before = await connection.fetch(
        "SELECT code, id FROM trade UNION ALL SELECT code, id FROM place"
    )
    assert first.rows["trade"] == await connection.fetchval("SELECT count(*) FROM trade") == 13_120
    assert first.rows["trade_label"] == await connection.fetchval(
        "SELECT count(*) FROM trade_label"
    )
    assert (await loading.load(connection)).total == 0
    await connection.execute("UPDATE reference_version SET hash = 'an older edition'")
    assert (await loading.load(connection)).rows == first.rows
    after = await connection.fetch(
        "SELECT code, id FROM trade UNION ALL SELECT code, id FROM place"
    )
    assert set(map(tuple, after)) == set(map(tuple, before))


async def test_loading_leaves_the_trades_of_the_cooperative_alone(
    connection: asyncpg.Connection,
) -> None:
    await loading.load(connection)
    await connection.execute(
        "INSERT INTO trade (code, group_code, label_fr, label_masculine, label_feminine)"
        " VALUES ('x-1', 'M1855', 'Jardinier·ère du web', 'Jardinier du web', 'Jardinière du web')"
    )
    await connection.execute(
        "INSERT INTO trade_label (trade_id, language, label, source, is_exact)"
        " SELECT id, 'nl', 'webtuinier', 'rome', true FROM trade WHERE code = 'x-1'"
    )
    await connection.execute("TRUNCATE reference_version")
    await loading.load(connection)
    assert await connection.fetchval("SELECT count(*) FROM trade_label WHERE label = 'webtuinier'")

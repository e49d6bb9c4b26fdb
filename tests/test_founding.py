"""Proposing a filière: what is filed, what is refused and why, what is alike."""

import asyncio
from typing import Any

import asyncpg
import httpx
import pytest
from litestar import Litestar

from directory.filieres import proposals
from tests import founding, people


async def test_a_member_proposes_and_everybody_reads_it(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    proposer, slug = await founding.proposed(client, connection, name_nl="Vioolbouw")
    await connection.execute(
        'UPDATE member SET audiences = \'{"display_name": "public"}\' WHERE id = $1',
        proposer.member_id,
    )
    client.cookies.clear()
    page = (await client.get(f"/filieres/{slug}")).text
    for words in ("Chacun travaille seul.", "Une rencontre à Namur.", "Proposée", "par <a"):
        assert words in page
    assert "Clémence Wauters" in page
    view = (await client.get(f"/api/v1/filieres/{slug}")).json()
    assert (slug, view["stage"], len(view["trades"])) == ("lutherie", "proposed", 2)
    said = (await client.get(f"/api/v1/filieres/{slug}/proposal")).json()
    assert said["need"] == "Chacun travaille seul.\n\nLe bois coûte cher."
    assert said["proposed_by"]["name"] == "Clémence Wauters"
    dutch = await client.get(f"/filieres/{slug}", headers={"accept-language": "nl"})
    assert "<h1>Vioolbouw</h1>" in dutch.text
    assert "<h1>Lutherie</h1>" in page
    tags = await connection.fetch("SELECT action FROM audit_entry WHERE action LIKE 'filiere.%'")
    assert [row["action"] for row in tags] == ["filiere.proposed"]


async def test_the_name_of_who_hides_it_is_not_told(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    proposer, slug = await founding.proposed(client, connection)
    client.cookies.clear()
    for path in (
        f"/filieres/{slug}", f"/api/v1/filieres/{slug}", f"/api/v1/filieres/{slug}/proposal",
        f"/api/v1/filieres/{slug}/timeline", f"/filieres/{slug}/support",
    ):  # fmt: skip
        text = (await client.get(path)).text
        assert "Clémence" not in text, path
        assert f"/members/{proposer.member_id}" not in text, path
    await people.sign_in(client, await people.member(connection))
    assert "Clémence" in (await client.get(f"/filieres/{slug}")).text


async def test_a_sector_filiere_is_defined_by_sectors(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    sectors = await founding.codes(connection, "sector", 3)
    _, slug = await founding.proposed(
        client, connection, kind="sector", trades=[], sectors=sectors, name_fr="Œuvres d’art"
    )
    assert slug == "oeuvres-d-art"
    found = (await client.get(f"/api/v1/filieres/{slug}/definition")).json()
    assert (found["kind"], sorted(found["sectors"])) == ("sector", sorted(sectors))


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name_fr": " "}, "name_fr"),
    ({"name_fr": "12-34"}, "name_fr"),
    ({"name_fr": "x" * 101}, "name_fr"),
    ({"name_nl": "a\u202eb"}, "name_nl"),
    ({"purpose_fr": "\0"}, "purpose_fr"),
    ({"purpose_en": "x" * 601}, "purpose_en"),
    ({"need": ""}, "need"),
    ({"need": "x" * 2001}, "need"),
    ({"intentions": " \n "}, "intentions"),
    ({"trades": []}, "trades"),
    ({"trades": ["nowhere"]}, "trades"),
    ({"trades": ["a\0"]}, "trades"),
    ({"sectors": ["K"]}, "sectors"),
    ({"territory": "nowhere"}, "territory"),
    ({"kind": "region"}, "kind"),
    ({"openness": "closed"}, "openness"),
    ({"colour": "blue"}, ""),
]


@pytest.mark.parametrize(("changed", "field"), WRONG)
async def test_what_is_wrong_is_named_and_nothing_is_filed(
    client: httpx.AsyncClient, connection: asyncpg.Connection, changed: dict[str, Any], field: str
) -> None:
    await people.sign_in(client, await people.member(connection))
    body = founding.draft(await founding.codes(connection), **changed)
    answer = await client.post("/api/v1/filieres", json=body)
    assert answer.status_code == 400, answer.text
    if field:
        assert answer.json()["errors"][0]["field"] == field
    assert await connection.fetchval("SELECT count(*) FROM filiere") == 0


async def test_the_form_says_everything_that_is_wrong_at_once_and_keeps_what_was_typed(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await people.sign_in(client, await people.member(connection))
    form = {"kind": "trade", "name_fr": "", "purpose_fr": "Jouer <b>", "need": "", "intentions": ""}
    answer = await client.post("/filieres/propose", data=form)
    assert answer.status_code == 400
    for field in ("name_fr", "trades", "need", "intentions"):
        assert f'id="{field}-error"' in answer.text
    assert "purpose_fr-error" not in answer.text
    assert "Jouer &lt;b&gt;</textarea>" in answer.text
    assert "4 valeurs ne conviennent pas" in answer.text


async def test_finding_words_files_nothing_and_keeps_what_was_typed(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await people.sign_in(client, await people.member(connection))
    (code,) = await founding.codes(connection, count=1)
    form = {"find": "trades", "trade_q": "luthier", "name_fr": "Bois", "trades": code}
    answer = await client.post("/filieres/propose", data=form)
    assert answer.status_code == 200
    assert 'value="Bois"' in answer.text
    assert "Luthi" in answer.text
    assert f'value="{code}" checked' in answer.text
    assert await connection.fetchval("SELECT count(*) FROM filiere") == 0


async def test_one_of_the_same_trades_is_shown_before_filing(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    _, slug = await founding.proposed(client, connection)
    await people.sign_in(client, await people.member(connection))
    codes = await founding.codes(connection)
    body = founding.draft(codes[:1], name_fr="Guitares")
    answer = await client.post("/api/v1/filieres", json=body)
    assert answer.status_code == 409
    assert answer.json()["type"].endswith("filiere-looks-alike")
    assert slug in answer.text

    alike = (await client.get("/api/v1/filieres/alike", params={"trade": codes[0]})).json()
    assert [(one["slug"], len(one["shared"]), one["has_near_name"]) for one in alike] == [
        (slug, 1, False)
    ]
    form = {**body, "trades": codes[0]}
    first = await client.post("/filieres/propose", data=form)
    assert first.status_code == 409
    assert f'href="/filieres/{slug}#support"' in first.text
    assert f'name="seen" value="{slug}"' in first.text
    second = await client.post("/filieres/propose", data={**form, "seen": slug})
    assert second.headers["location"] == "/filieres/guitares?done=proposed"


@pytest.mark.parametrize(
    ("name", "is_near"),
    [
        ("lutherie", True), ("Filière lutherie", True), ("Luthérie et bois", True),
        ("Métiers du cirque", False), ("", False), ("100%", False),
    ],
)  # fmt: skip
async def test_nearly_the_same_name_is_alike(
    client: httpx.AsyncClient, connection: asyncpg.Connection, name: str, is_near: bool
) -> None:
    await founding.proposed(client, connection)
    await people.filiere(connection, "autre", "Métiers du web")
    found = (await client.get("/api/v1/filieres/alike", params={"name": name})).json()
    assert [one["slug"] for one in found] == (["lutherie"] if is_near else [])


async def test_a_closed_one_is_not_offered(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await founding.proposed(client, connection)
    await connection.execute("UPDATE filiere SET stage = 'closed'")
    found = await client.get("/api/v1/filieres/alike", params={"name": "Lutherie"})
    assert found.json() == []


async def test_two_clicks_propose_it_once(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await people.sign_in(client, await people.member(connection))
    body = founding.draft(await founding.codes(connection))
    answers = await asyncio.gather(*(client.post("/api/v1/filieres", json=body) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert await connection.fetchval("SELECT count(*) FROM filiere") == 1


async def test_addresses_are_their_own(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    """Other pages have theirs, and a second one of a name gets a number."""
    await people.sign_in(client, await people.member(connection))
    slugs = []
    for name, code in zip(
        ("Propose", "Health !", "ريشة"), await founding.codes(connection, count=3), strict=True
    ):
        answer = await client.post("/api/v1/filieres", json=founding.draft([code], name_fr=name))
        slugs.append(answer.json()["slug"])
    assert slugs == ["propose-2", "health-2", "filiere"]


async def test_a_member_has_so_many_open_ones_and_takes_one_back(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await people.sign_in(client, await people.member(connection))
    names = ("Cirque", "Vannerie", "Ferronnerie", "Dentelle")
    codes = await founding.codes(connection, count=4)
    bodies = [founding.draft([code], name_fr=name) for name, code in zip(names, codes, strict=True)]
    answers = [await client.post("/api/v1/filieres", json=body) for body in bodies]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 409]
    assert "Cirque" in answers[3].json()["detail"]
    page = await client.post("/filieres/propose", data={**bodies[3], "trades": codes[3]})
    assert page.status_code == 409
    assert 'value="Dentelle"' in page.text

    assert (await client.delete("/api/v1/filieres/cirque/proposal")).status_code == 204
    assert (await client.delete("/api/v1/filieres/cirque/proposal")).status_code == 409
    assert "la retire" in (await client.get("/filieres/cirque")).text
    assert (await client.post("/api/v1/filieres", json=bodies[3])).status_code == 201


async def test_a_member_proposes_so_many_a_day(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await people.sign_in(client, await people.member(connection))
    body = founding.draft(await founding.codes(connection, count=1))
    for number in range(proposals.DAILY.most):
        answer = await client.post("/api/v1/filieres", json=body)
        assert answer.status_code == 201, number
        await client.delete(f"/api/v1/filieres/{answer.json()['slug']}/proposal")
    assert (await client.post("/api/v1/filieres", json=body)).status_code == 429
    page = await client.post("/filieres/propose", data={**body, "trades": body["trades"][0]})
    assert page.status_code == 429
    assert 'value="Lutherie"' in page.text


async def test_who_is_no_member_proposes_nothing(client: httpx.AsyncClient) -> None:
    answer = await client.get("/filieres/propose")
    assert answer.status_code == 401
    assert (await client.post("/api/v1/filieres", json={})).status_code in {400, 401}


async def test_the_proposer_edits_until_somebody_else_supports_it(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    proposer, slug = await founding.proposed(client, connection)
    path = f"/api/v1/filieres/{slug}"
    change = {"version": 1, "name_fr": "Luthiers", "openness": "approval"}
    answer = await client.patch(path, json=change)
    assert answer.status_code == 200, answer.text
    assert answer.headers["etag"] == '"2"'
    assert f'href="/filieres/{slug}/edit"' in (await client.get(f"/filieres/{slug}")).text
    await founding.supports(client, connection, slug)
    await people.sign_in(client, proposer)
    assert (await client.patch(path, json={"version": 2, "name_fr": "Bois"})).status_code == 403
    assert (await client.get(f"/filieres/{slug}/edit")).status_code == 403


async def test_versions_of_an_edit(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await people.filiere(connection, "web")
    await founding.coordinator(client, connection)
    path = "/api/v1/filieres/web"
    tag = (await client.get(path)).headers["etag"]
    assert (await client.patch(path, json={"name_en": "Web"})).status_code == 428
    first = await client.patch(path, json={"name_en": "Web"}, headers={"if-match": tag})
    assert first.json()["name_en"] == "Web"
    again = await client.patch(path, json={"name_en": "x"}, headers={"if-match": tag})
    assert again.status_code == 412
    assert (await client.patch(path, json={"version": 1, "name_en": "x"})).status_code == 409
    same = await client.patch(path, json={"version": 2, "name_en": " Web "})
    assert same.json()["version"] == 2
    gone = await client.patch(path, json={"name_en": ""}, headers={"if-match": "*"})
    assert gone.json()["name_en"] == ""
    fields = await connection.fetchval(
        "SELECT fields FROM audit_entry WHERE action = 'filiere.changed' LIMIT 1"
    )
    assert fields == ["name_en"]


async def test_an_animator_edits_texts_and_not_for_whom_it_is(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    web = await people.filiere(connection, "web")
    animator = await people.member(connection)
    await people.animates(connection, animator, web)
    await people.sign_in(client, animator)
    page = (await client.get("/filieres/web/edit")).text
    assert 'name="name_nl"' in page
    assert 'name="openness"' not in page
    form = {"version": "1", "name_fr": "Web", "purpose_fr": "But", "openness": "invitation"}
    assert (await client.post("/filieres/web/edit", data=form)).status_code == 303
    seen = (await client.get("/api/v1/filieres/web")).json()
    assert (seen["name"], seen["openness"]) == ("Web", "open")
    answer = await client.patch(
        "/api/v1/filieres/web", json={"version": 2, "trades": await founding.codes(connection)}
    )
    assert answer.status_code == 403


async def test_the_second_editor_is_told_and_keeps_their_words(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await people.filiere(connection, "web")
    await founding.coordinator(client, connection)
    form = {"version": "1", "name_fr": "Un", "purpose_fr": "But", "openness": "open"}
    assert (await client.post("/filieres/web/edit", data=form)).status_code == 303
    answer = await client.post("/filieres/web/edit", data=form | {"name_fr": "Deux"})
    assert answer.status_code == 409
    assert 'value="Deux"' in answer.text
    assert 'name="version" value="2"' in answer.text
    again = await client.post("/filieres/web/edit", data=form | {"name_fr": "Deux", "version": "2"})
    assert again.status_code == 303


async def test_a_closed_filiere_keeps_its_page_and_its_words(
    client: httpx.AsyncClient, connection: asyncpg.Connection
) -> None:
    await people.filiere(connection, "web")
    await founding.coordinator(client, connection)
    body = {"to_stage": "closed", "reason": "Plus personne."}
    assert (await client.post("/api/v1/filieres/web/timeline", json=body)).status_code == 201
    for path in (
        "/filieres/web", "/api/v1/filieres/web", "/api/v1/filieres/web/timeline",
        "/api/v1/filieres/web/definition", "/filieres/web/support",
    ):  # fmt: skip
        assert (await client.get(path)).status_code == 200, path
    page = (await client.get("/filieres/web")).text
    assert "Plus personne." in page
    assert "/filieres/web/edit" not in page
    change = {"version": 1, "name_fr": "x"}
    assert (await client.patch("/api/v1/filieres/web", json=change)).status_code == 409
    assert (await client.get("/filieres/web/edit")).status_code == 409
    join = await client.put("/api/v1/filieres/web/membership")
    assert join.status_code == 409
    assert (await client.get("/api/v1/filieres?stage=closed")).json()["total"] == 1
    assert (await client.get("/filieres?show=closed")).text.count("/filieres/web") == 1
    assert "/filieres/web" not in (await client.get("/filieres")).text


def test_no_filiere_has_the_address_of_a_page(app: Litestar) -> None:
    """What stands where a slug would: /filieres/health, /api/v1/filieres/figures."""
    own = {
        parts[parts.index("filieres") + 1]
        for route in app.routes
        if "filieres" in (parts := route.path.split("/")) and parts[-1] != "filieres"
    }
    fixed = {part for part in own if not part.startswith("{") and "." not in part}
    assert fixed
    assert fixed <= proposals.TAKEN

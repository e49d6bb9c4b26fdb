"""The composer and the pages of a mailing, and who may not get there."""

import asyncio
from html import unescape

import asyncpg
import httpx
import pytest

from tests import mailing_scene, people
from tests.mailing_scene import Scene, subscribes
from tests.people import Person


@pytest.fixture
async def scene(client: httpx.AsyncClient, connection: asyncpg.Connection) -> Scene:
    return await mailing_scene.build(client, connection)


@pytest.fixture
async def stranger(scene: Scene) -> Person:
    """An animator of another filière."""
    stranger = await people.member(scene.connection, "Noé Lambrecht")
    other = await people.filiere(scene.connection, "formation", "Formation")
    await people.animates(scene.connection, stranger, other)
    return stranger


def typed(scene: Scene, **changes: object) -> dict[str, object]:
    return {
        "filiere_ids": [scene.web, scene.image], "topic": "trainings",
        "subject": "Une session à Namur", "body": "Bonjour,\r\n\r\nVenez **tous**.", **changes,
    }  # fmt: skip


async def test_an_animator_writes_checks_and_sends(scene: Scene) -> None:
    page = await scene.client.get("/mailings/new")
    assert page.status_code == 200
    assert "Métiers du web" in page.text
    made = await scene.client.post("/mailings", data=typed(scene))
    assert made.status_code == 303, made.text
    path = made.headers["location"]
    draft = unescape((await scene.client.get(path)).text)
    assert "Envoyer à 3 personnes" in draft
    assert "dans plusieurs, comptées une fois" in draft
    assert "<strong>tous</strong>" in draft
    assert scene.awa.email not in draft
    assert (await scene.client.post(f"{path}/send")).headers["location"] == path
    assert "hx-trigger" in (await scene.client.get(path)).text
    await scene.connection.execute("UPDATE delivery SET state = 'sent'")
    await scene.connection.execute("UPDATE mailing SET state = 'sent', finished_at = now()")
    part = await scene.client.get(path, headers={"HX-Request": "true"})
    assert "L’envoi est terminé" in part.text
    assert "hx-trigger" not in part.text
    assert "<main" not in part.text
    listed = unescape((await scene.client.get("/mailings")).text)
    assert "3 mails" in listed


async def test_a_double_click_on_send_is_one_sending(scene: Scene) -> None:
    mailing_id = await scene.draft()
    answers = await asyncio.gather(
        *(scene.client.post(f"/mailings/{mailing_id}/send") for _ in range(3))
    )
    assert [answer.status_code for answer in answers] == [303] * 3
    assert len(await scene.due()) == 1
    assert len(await scene.states(mailing_id)) == 3


async def test_the_preview_shows_what_was_typed_and_keeps_nothing(scene: Scene) -> None:
    page = await scene.client.post(
        "/mailings/preview", data=typed(scene, subject="<b>gras</b>", body="*léger* <script>")
    )
    assert page.status_code == 200
    assert "<em>léger</em> &lt;script&gt;" in page.text
    assert "&lt;b&gt;gras" in page.text
    assert 'name="topic" value="trainings" checked' in page.text
    part = await scene.client.post(
        "/mailings/preview", data=typed(scene), headers={"HX-Request": "true"}
    )
    assert part.text.lstrip().startswith('<p class="note">De')
    assert await scene.connection.fetchval("SELECT count(*) FROM mailing") == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subject", "Réunion\r\nBcc: all@test.example"),
        ("subject", "  "),
        ("subject", "x" * 201),
        ("body", ""),
        ("body", "a\0b"),
        ("body", "x" * 20_001),
        ("topic", ""),
        ("topic", "weather"),
        ("filiere_ids", []),
        ("filiere_ids", ["x"]),
    ],
)
async def test_a_wrong_value_is_told_beside_its_field_and_the_rest_stays(
    scene: Scene, field: str, value: object
) -> None:
    answer = await scene.client.post("/mailings", data=typed(scene, **{field: value}))
    assert answer.status_code == 400
    assert f'id="{field}-error"' in answer.text
    kept = "Une session à Namur" if field != "subject" else "Venez **tous**"
    assert kept in answer.text
    assert await scene.connection.fetchval("SELECT count(*) FROM mailing") == 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"subject": "a\r\nBcc: all@test.example"}, "subject"),
        ({"subject": "a\x9bb"}, "subject"),
        ({"body": "\u0000"}, "body"),
        ({"filiere_ids": []}, "filiere_ids"),
        ({"topic": "weather"}, "topic"),
        ({"language": "de"}, "language"),
    ],
)
async def test_the_api_names_the_value_that_is_wrong(
    scene: Scene, changes: dict[str, object], field: str
) -> None:
    answer = await scene.client.post(
        "/api/v1/mailings", json={**typed(scene), "filiere_ids": [scene.web], **changes}
    )
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert await scene.connection.fetchval("SELECT count(*) FROM mailing") == 0


@pytest.mark.parametrize(
    "raw", [b'{"subject": "\\ud800"}', b'"', b"[]", b'{"filiere_ids": [99999999999999999999]}', b""]
)
async def test_malformed_json_is_refused(scene: Scene, raw: bytes) -> None:
    answer = await scene.client.post(
        "/api/v1/mailings", content=raw, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400


async def test_emoji_and_right_to_left_text_are_words_like_others(scene: Scene) -> None:
    mailing_id = await scene.draft(subject="🧵 مرحبا à tous", body="🧵 مرحبا")
    assert "🧵 مرحبا à tous" in (await scene.client.get(f"/mailings/{mailing_id}")).text


async def test_an_animator_never_writes_to_another_filiere(scene: Scene, stranger: Person) -> None:
    mailing_id = await scene.draft()
    await people.sign_in(scene.client, stranger)
    own = await scene.connection.fetchval("SELECT id FROM filiere WHERE slug = 'formation'")
    for filieres in ([scene.web], [own, scene.web]):
        page = await scene.client.post("/mailings", data=typed(scene, filiere_ids=filieres))
        assert page.status_code == 403
        answer = await scene.client.post(
            "/api/v1/mailings", json={**typed(scene), "filiere_ids": filieres}
        )
        assert answer.status_code == 403
    for call in ("send", "cancel"):
        answer = await scene.client.post(f"/api/v1/mailings/{mailing_id}/{call}")
        assert answer.status_code == 404
        assert (await scene.client.post(f"/mailings/{mailing_id}/{call}")).status_code == 404
    for path in ("", "/edit"):
        assert (await scene.client.get(f"/mailings/{mailing_id}{path}")).status_code == 404
    assert await scene.connection.fetchval("SELECT state::text FROM mailing") == "draft"
    assert await scene.connection.fetchval("SELECT count(*) FROM mailing") == 1


async def test_an_animator_whose_mandate_ended_sends_nothing_any_more(scene: Scene) -> None:
    mailing_id = await scene.draft(filiere_ids=[scene.web, scene.image])
    await scene.connection.execute(
        "UPDATE access_grant SET starts_on = current_date - 9, ends_on = current_date - 1 "
        "WHERE scope = $1",
        f"filiere:{scene.image}",
    )
    assert (await scene.send(mailing_id)).status_code == 403
    assert (await scene.client.post(f"/mailings/{mailing_id}/send")).status_code == 403
    assert await scene.connection.fetchval("SELECT count(*) FROM delivery") == 0


async def test_another_animator_of_the_filiere_reads_what_was_sent_and_no_draft(
    scene: Scene,
) -> None:
    colleague = await people.member(scene.connection, "Ines Peeters")
    await people.animates(scene.connection, colleague, scene.web)
    sent, draft = await scene.draft(), await scene.draft(subject="Un brouillon")
    await scene.send(sent)
    await people.sign_in(scene.client, colleague)
    listed = (await scene.client.get("/api/v1/mailings")).json()
    assert [item["id"] for item in listed["items"]] == [sent]
    assert listed["total"] == 1
    assert (await scene.client.get(f"/mailings/{sent}")).status_code == 200
    assert (await scene.client.get(f"/mailings/{draft}")).status_code == 404
    assert (await scene.client.post(f"/mailings/{sent}/cancel")).status_code == 404


async def test_a_member_and_a_visitor_see_no_mailing(scene: Scene) -> None:
    mailing_id = await scene.draft()
    paths = ("/mailings", "/mailings/new", f"/mailings/{mailing_id}", "/api/v1/mailings")
    await people.sign_in(scene.client, scene.awa)
    assert [(await scene.client.get(path)).status_code for path in paths] == [403] * 4
    scene.client.cookies.clear()
    assert [(await scene.client.get(path)).status_code for path in paths] == [401] * 4


async def test_a_draft_is_changed_kept_and_thrown_away(scene: Scene) -> None:
    mailing_id = await scene.draft()
    form = await scene.client.get(f"/mailings/{mailing_id}/edit")
    assert "Venez **tous**" in form.text
    changed = await scene.client.post(
        f"/mailings/{mailing_id}",
        data=typed(scene, filiere_ids=[scene.image], subject="Autre", then="list"),
    )
    assert changed.headers["location"] == "/mailings?done=kept"
    view = await scene.view(mailing_id)
    assert (view["subject"], [entry["slug"] for entry in view["filieres"]]) == ("Autre", ["image"])
    gone = await scene.client.post(f"/mailings/{mailing_id}/delete")
    assert gone.headers["location"] == "/mailings?done=deleted"
    assert (await scene.client.get(f"/mailings/{mailing_id}")).status_code == 404
    assert "Aucun mail" in (await scene.client.get("/mailings?done=deleted")).text


async def test_what_was_sent_is_neither_changed_nor_thrown_away(scene: Scene) -> None:
    await scene.send(mailing_id := await scene.draft())
    path = f"/api/v1/mailings/{mailing_id}"
    answer = await scene.client.put(path, json={**typed(scene), "filiere_ids": [scene.web]})
    assert answer.status_code == 409
    assert (await scene.client.delete(path)).status_code == 409
    assert (await scene.client.get(f"{path}/audience")).status_code == 409
    assert (await scene.client.get(f"/mailings/{mailing_id}/edit")).status_code == 409


@pytest.mark.parametrize("number", ["0", "-1", "99999999999999999999999", "12345"])
async def test_an_unknown_mailing_is_not_found(scene: Scene, number: str) -> None:
    assert (await scene.client.get(f"/mailings/{number}")).status_code == 404
    assert (await scene.client.get(f"/api/v1/mailings/{number}")).status_code == 404
    assert (await scene.client.post(f"/api/v1/mailings/{number}/send")).status_code == 404


async def test_the_page_says_when_nobody_would_get_it(scene: Scene) -> None:
    page = await scene.client.get(f"/mailings/{await scene.draft(topic='legal')}")
    assert "Personne ne recevrait ce mail" in page.text
    assert "/send" not in page.text


async def test_drafts_are_listed_by_state_and_page(scene: Scene) -> None:
    ids = [await scene.draft() for _ in range(3)]
    await scene.send(ids[0])
    drafts = (await scene.client.get("/api/v1/mailings?state=draft&limit=1&page=2")).json()
    assert (drafts["total"], [item["id"] for item in drafts["items"]]) == (2, [ids[1]])
    assert (await scene.client.get("/api/v1/mailings?state=lost")).status_code == 400
    assert (await scene.client.get("/mailings?page=999")).status_code == 200


async def test_the_composer_of_a_filiere_s_page_has_it_chosen(scene: Scene) -> None:
    page = await scene.client.get("/mailings/new?filiere=image")
    assert f'value="{scene.image}" checked' in page.text
    assert f'value="{scene.web}" checked' not in page.text


async def test_a_reader_of_another_language_is_counted(scene: Scene) -> None:
    dutch = await people.member(scene.connection, language="nl")
    await subscribes(scene.connection, dutch, scene.web)
    page = await scene.client.get(f"/mailings/{await scene.draft()}")
    assert "1 personne lira le texte en français" in unescape(page.text)

"""The story of a filière, from somebody's idea to its decline, lived in the demo community.

What recommendations 2, 5, 6 and 7 of the working group asked for, told at the end by the one page
that everybody can read.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import date, timedelta
from html import unescape
from typing import Any

import asyncpg
import httpx
import pytest

from directory.accounts import sessions
from tests.site import Site, demo_template, site

__all__ = ["demo_template", "site"]

SLUG = "reparation-de-quartier"
SUPPORTS = 11
METHOD = {
    "objectives": "Réparer plus, jeter moins, et en vivre.",
    "cooperative_role": "Elle assure les ateliers ouverts au public.",
    "member_role": "Chacun tient une permanence par mois.",
    "means": "Un local prêté, 800 euros par an.",
    "openness": "Ouverte à qui répare.",
    "event_kinds": "Fêtes de la réparation.",
    "rhythm": "Une rencontre par mois.",
}
MOVES = (
    ("forming", "Assez de membres et une vraie demande des communes."),
    ("launched", "Fête de la réparation à Namur, 41 personnes."),
    ("active", "Trois communes nous envoient leurs habitants."),
    ("dormant", "L’animatrice part et personne ne prend le relais."),
    ("closed", "Après un an de sommeil : la filière Bâtiment reprend le local."),
)


class Cast:
    """Whoever is asked for, signed in on the running site."""

    def __init__(self, site: Site, connection: asyncpg.Connection) -> None:
        self.site = site
        self.connection = connection
        self.visitor = httpx.AsyncClient(base_url=site.url)
        self.visitor.headers["Accept-Language"] = "fr"

    async def act(
        self, account_id: int, method: str, path: str, json: object = None, **query: Any
    ) -> Any:
        """What the API answers; it must not refuse."""
        async with httpx.AsyncClient(base_url=self.site.url) as client:
            client.cookies.set(sessions.COOKIE, await sessions.open_session(account_id, "test"))
            answer = await client.request(method, f"/api/v1{path}", json=json, params=query)
        assert answer.status_code < 400, (path, answer.text)
        return answer.json() if answer.content else None

    async def story(self) -> str:
        """The words of the public page, as they are read."""
        answer = await self.visitor.get(f"/filieres/{SLUG}")
        assert answer.status_code == 200
        plain = re.sub(r"<(script|style)\b.*?</\1>|<[^>]+>", " ", answer.text, flags=re.DOTALL)
        return re.sub(r"\s+", " ", unescape(plain))


@pytest.fixture
async def cast(site: Site) -> AsyncIterator[Cast]:
    connection = await asyncpg.connect(site.database)
    cast = Cast(site, connection)
    yield cast
    await cast.visitor.aclose()
    await connection.close()


async def _crowd(cast: Cast, trades: list[str]) -> list[asyncpg.Record]:
    """Members with room for one more filière, those of the trades first."""
    return await cast.connection.fetch(
        """
        SELECT m.id, m.account_id, m.display_name FROM member m
        JOIN account a ON a.id = m.account_id AND a.email_confirmed_at IS NOT NULL
        WHERE m.left_on IS NULL AND (SELECT count(*) FROM membership k
            WHERE k.member_id = m.id AND k.left_at IS NULL) < 3
        ORDER BY NOT EXISTS (SELECT FROM member_trade t JOIN trade d ON d.id = t.trade_id
            WHERE t.member_id = m.id AND d.code = ANY($1)), m.id LIMIT 20
        """,
        trades,
    )


async def _found(cast: Cast, crowd: list[asyncpg.Record], trades: list[str]) -> None:
    """An idea, what looks like it, and those who stand behind it."""
    idea = {
        "kind": "trade", "name_fr": "Réparation de quartier", "trades": trades,
        "purpose_fr": "Réparer près de chez soi, à plusieurs.",
        "need": "On jette ce que l’on saurait réparer.", "intentions": "Une fête au printemps.",
    }  # fmt: skip
    proposer = crowd[0]["account_id"]
    alike = await cast.act(proposer, "GET", "/filieres/alike", name=idea["name_fr"], trade=trades)
    seen = [one["slug"] for one in alike]
    made = await cast.act(proposer, "POST", "/filieres", {**idea, "despite": seen})
    assert made["slug"] == SLUG
    said = {"stance": "reserve", "opinion": "Et qui paie quand cela casse ?"}
    for person in crowd[1:SUPPORTS]:
        await cast.act(person["account_id"], "PUT", f"/filieres/{SLUG}/support", said)
        said = {"stance": "favourable", "opinion": "J’ai une échoppe et du temps."}
    assert await cast.site.mails("helene@etabli.example"), "nobody told the coordinators"


async def _run(cast: Cast, staff: int, animator: asyncpg.Record) -> int:
    """Somebody to run it, and how. Their mandate's number."""
    animates = {"who": str(animator["id"]), "role": "animator", "filiere": SLUG}
    await cast.act(staff, "POST", "/roles", animates)
    sheet = {"version": 0, "fr": METHOD}
    await cast.act(animator["account_id"], "PUT", f"/filieres/{SLUG}/method", sheet)
    mandates = await cast.act(animator["account_id"], "GET", "/me/mandates")
    number: int = next(one["id"] for one in mandates["mandates"] if one["filiere"]["slug"] == SLUG)
    return number


async def _live(cast: Cast, crowd: list[asyncpg.Record]) -> None:
    """They come in, choose their mails, meet and write to each other."""
    for person in crowd[:6]:
        account_id = person["account_id"]
        await cast.act(account_id, "PUT", f"/filieres/{SLUG}/membership", method_version=1)
        mine = await cast.act(account_id, "GET", "/me/consents")
        choices = next(one for one in mine["filieres"] if one["filiere"]["slug"] == SLUG)
        assert {topic["rhythm"] for topic in choices["topics"]} == {None}
        news = next(topic for topic in choices["topics"] if topic["topic"] == "news")
        choice = {
            "filiere": SLUG, "topic": "news", "rhythm": "at_once",
            "wording_id": news["wording"]["id"],
        }  # fmt: skip
        await cast.act(account_id, "PUT", "/me/consents", {"choices": [choice]})
    animator = crowd[0]["account_id"]
    day = (date.today() + timedelta(days=30)).isoformat()  # noqa: DTZ011 - some day to come
    await cast.act(animator, "POST", "/events", {
        "title": "Fête de la réparation", "kind": "meeting", "filieres": [SLUG],
        "starts_at": f"{day}T10:00", "ends_at": f"{day}T18:00", "audience": "public",
        "location": "Namur",
    })  # fmt: skip
    filiere = await cast.act(animator, "GET", f"/filieres/{SLUG}")
    draft = {
        "filiere_ids": [filiere["id"]], "topic": "news",
        "subject": "On répare dimanche", "body": "Venez avec ce qui ne marche plus.",
    }  # fmt: skip
    mailing = await cast.act(animator, "POST", "/mailings", draft)
    await cast.act(animator, "POST", f"/mailings/{mailing['id']}/send", {})
    email = await cast.connection.fetchval(
        "SELECT email::text FROM account WHERE id = $1", crowd[3]["account_id"]
    )
    (letter, *_) = await cast.site.mails(email)
    assert "On répare dimanche" in letter.subject


async def test_the_page_of_a_filiere_tells_its_story_from_the_idea_to_the_decline(
    cast: Cast,
) -> None:
    trades = [
        row["code"]
        for row in await cast.connection.fetch(
            "SELECT t.code FROM member_trade mt JOIN trade t ON t.id = mt.trade_id "
            "GROUP BY t.code ORDER BY count(*) DESC, t.code LIMIT 3"
        )
    ]
    crowd = await _crowd(cast, trades)
    staff = await cast.connection.fetchval(
        "SELECT id FROM account WHERE email = 'helene@etabli.example'"
    )
    await _found(cast, crowd, trades)
    why = {"text": "Les communes demandent des ateliers de réparation."}
    await cast.act(staff, "PUT", f"/filieres/{SLUG}/dossier/reasons", why)

    async def move(number: int) -> None:
        stage, reason = MOVES[number]
        body = {"to_stage": stage, "reason": reason}
        await cast.act(staff, "POST", f"/filieres/{SLUG}/timeline", body)

    await move(0)
    await _run(cast, staff, crowd[0])
    await move(1)
    await _live(cast, crowd)
    await move(2)
    card = await cast.act(crowd[0]["account_id"], "GET", f"/filieres/{SLUG}/health")
    assert card["figures"]["members"] == 6
    told = await cast.story()
    for words in ("Fête de la réparation", "Membres", "Rejoindre"):
        assert words in told
    await move(3)
    await move(4)

    told = await cast.story()
    steps = (
        "Réparation de quartier", "Réparer près de chez soi", "Proposée", "Soutenue",
        *(reason for _, reason in MOVES),
        "Pourquoi cette filière", "Les communes demandent des ateliers", "Décision du",
        "On jette ce que l’on saurait réparer.", "Une fête au printemps.",
        "10 avis favorables", "1 réserve",
    )  # fmt: skip
    places = [told.find(words) for words in steps[:9]]
    assert -1 not in places, steps[places.index(-1)]
    assert places == sorted(places)
    assert [words for words in steps if words not in told] == []
    assert "Cette filière est fermée" in told
    assert (await cast.visitor.get(f"/filieres/{SLUG}/method")).status_code == 200
    await cast.site.mails(
        await cast.connection.fetchval(
            "SELECT email::text FROM account WHERE id = $1", crowd[4]["account_id"]
        ),
        2,
    )
    for _ in range(100):  # the worker ends them, one member after the other
        if not await cast.connection.fetchval(
            "SELECT count(*) FROM consent c JOIN filiere f ON f.id = c.filiere_id "
            "WHERE f.slug = $1", SLUG,
        ):  # fmt: skip
            return
        await asyncio.sleep(0.1)
    raise AssertionError("mails of a closed filière are still consented to")

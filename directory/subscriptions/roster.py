"""Who is in a filière, as far as each of them shows it to the reader."""

from directory import db
from directory.accounts.actor import Actor, Permission
from directory.filieres import registry
from directory.http.listing import Listing
from directory.languages import SOURCE
from directory.members import audiences, profiles
from directory.members.audiences import Field
from directory.members.views import MemberCard

_LEVEL = audiences.sql_level("p.id", "$2::bigint", "$3::integer")
# Who hides their name or their filières from the reader is not there: not in a page, not in a
# total, not in the order.
_SHOWN = f"""
    WITH near AS MATERIALIZED (
        SELECT p.id, p.display_name, p.audiences, {_LEVEL} AS nearness
        FROM membership m JOIN member p ON p.id = m.member_id
        WHERE m.filiere_id = $1 AND m.left_at IS NULL AND p.left_on IS NULL
    ), shown AS (
        SELECT id, unaccent(lower(display_name)) AS name FROM near
        WHERE {audiences.sql_visible(Field.DISPLAY_NAME, "audiences", "nearness")}
          AND {audiences.sql_visible(Field.MEMBERSHIPS, "audiences", "nearness")}
    ), found AS (
        SELECT id, name FROM shown WHERE NOT EXISTS (
            SELECT FROM unnest($4::text[]) AS word WHERE strpos(name, unaccent(lower(word))) = 0)
    )
"""  # noqa: S608 - own names


async def list_members(
    actor: Actor, slug: str, language: str = SOURCE, *, q: str = "", page: int = 1, limit: int = 20
) -> Listing[MemberCard]:
    """Members of a filière whom the actor may see in it, by name. `q` has words of the name.

    :raises errors.NotFound: when no filière has this address.
    """
    actor.require(Permission.READ_MEMBERS)
    filiere = await registry.get(slug, language)
    async with db.connection() as reader:
        rows = await reader.fetch(
            f"{_SHOWN} SELECT (SELECT count(*) FROM found) AS total, ARRAY("  # noqa: S608 - own names
            "SELECT id FROM found ORDER BY name, id LIMIT $5 OFFSET $6) AS ids",
            filiere.id, audiences.own_id(actor), audiences.standing(actor),
            q.replace("\0", " ").split(), limit, (page - 1) * limit,
        )  # fmt: skip
        cards = await profiles.cards(actor, rows[0]["ids"], language)
    return Listing(cards, rows[0]["total"], page, limit)

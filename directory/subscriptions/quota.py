"""How many filières a member may be in. The database holds it, and refuses one more by itself."""

from directory import db, settings


async def keep() -> None:
    """Tell the database what the settings say. Who is in more filières already stays in them."""
    async with db.transaction() as opened:
        await opened.execute(
            "UPDATE membership_quota SET most = $1 WHERE most <> $1",
            settings.current().filieres_per_member,
        )


async def most() -> int:
    async with db.connection() as reader:
        number: int = await reader.fetchval("SELECT most FROM membership_quota")
    return number

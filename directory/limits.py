"""How often somebody may ask: counted in Postgres, so that all processes count together."""

import hashlib
import hmac
import ipaddress
from datetime import UTC, datetime, timedelta

import msgspec

from directory import db, errors, jobs, settings
from directory.languages import marked

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Limit(msgspec.Struct, frozen=True):
    """At most so many within each window of this length. Windows start at the epoch, in UTC."""

    bucket: str
    most: int
    window: timedelta


async def take(limit: Limit, *key: int | str) -> None:
    """Count one for this key, in a transaction of its own unless one is open.

    The key (an address, an account, a network) is kept as a keyed hash only.

    :raises errors.TooMany: when the window is full. What is refused is not counted.
    """
    if not await has_room(limit, *key):
        moment = datetime.now(UTC)
        wait = limit.window - (moment - EPOCH) % limit.window
        raise errors.TooMany(
            marked("Trop de demandes à la suite. Réessayez dans %(minutes)s minutes."),
            minutes=int(wait / timedelta(minutes=1)) + 1,
        )


async def has_room(limit: Limit, *key: int | str) -> bool:
    """Count one as `take` does, for a job that has nobody to tell. False: the window is full."""
    moment = datetime.now(UTC)
    starts_at = moment - (moment - EPOCH) % limit.window
    async with db.transaction() as opened:
        taken = await opened.fetchval(
            """
            INSERT INTO rate_count AS c (bucket, key, starts_at, taken) VALUES ($1, $2, $3, 1)
            ON CONFLICT (bucket, key, starts_at) DO UPDATE SET taken = c.taken + 1
            WHERE c.taken < $4 RETURNING c.taken
            """,
            limit.bucket, _keyed(key), starts_at, limit.most,
        )  # fmt: skip
    return taken is not None


def network(address: str) -> str:
    """The network of an address: '192.0.2.0/24', '2001:db8:1::/48'; '' if it is none."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return str(ipaddress.ip_network((ip, 24 if ip.version == 4 else 48), strict=False))


def _keyed(key: tuple[int | str, ...]) -> bytes:
    words = "\0".join(str(part) for part in key)
    return hmac.new(
        settings.current().secret, words.encode(errors="replace"), hashlib.sha256
    ).digest()


@jobs.every("52 * * * *")
async def forget_past() -> None:
    async with db.transaction() as opened:
        await opened.execute("DELETE FROM rate_count WHERE starts_at < now() - interval '2 days'")

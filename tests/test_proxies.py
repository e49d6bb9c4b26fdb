"""Whose word about a caller's address is believed."""

import asyncio
import hashlib
import hmac
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import httpx
import pytest

from directory import cluster, settings
from directory.settings import SettingsInvalid
from tests.test_command_line import free_port

KEY = "k" * 40
PATIENCE = 60


@asynccontextmanager
async def serving(database: str, **environment: str) -> AsyncIterator[httpx.AsyncClient]:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "directory", "serve", preexec_fn=cluster.DiesWithParent(),
        env=os.environ | {
            "DATABASE_URL": database, "PORT": str(port), "SECRET_KEY": KEY, **environment,
        },
    )  # fmt: skip
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            for _ in range(PATIENCE * 10):
                assert process.returncode is None
                try:
                    await client.get("/health/live")
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.1)
            yield client
    finally:
        process.terminate()
        await process.wait()


async def counted(connection: asyncpg.Connection, network: str) -> int:
    key = hmac.new(KEY.encode(), network.encode(), hashlib.sha256).digest()
    taken: int | None = await connection.fetchval(
        "SELECT sum(taken)::int FROM rate_count WHERE bucket = 'login_asked' AND key = $1", key
    )
    return taken or 0


@pytest.mark.parametrize(
    ("trusted", "networks"),
    [
        (
            {},
            {
                "198.51.100.7": "198.51.100.0/24",
                "2001:db8:1:2::3": "2001:db8:1::/48",
                # The last that no trusted proxy wrote: what stands before it anybody can send.
                "203.0.113.9, 192.0.2.7": "192.0.2.0/24",
                "nonsense": "",
            },
        ),
        (
            {"TRUSTED_PROXIES": "127.0.0.0/8, 198.51.100.0/24"},
            {"203.0.113.9, 198.51.100.7": "203.0.113.0/24"},
        ),
        ({"TRUSTED_PROXIES": "192.0.2.1"}, {"198.51.100.7": "127.0.0.0/24"}),
    ],
)
async def test_a_callers_network_is_what_a_trusted_proxy_says(
    database: str, connection: asyncpg.Connection, trusted: dict[str, str],
    networks: dict[str, str],
) -> None:  # fmt: skip
    async with serving(database, **trusted) as client:
        for given, network in networks.items():
            answer = await client.post(
                "/login", data={"email": "a@test.example"}, headers={"X-Forwarded-For": given}
            )
            assert answer.status_code == 200
            assert await counted(connection, network) == 1, given
            assert "Secure" in answer.headers["set-cookie"]  # this is not the demo


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"TRUSTED_PROXIES": "proxy.test"}, "TRUSTED_PROXIES"),
        ({"TRUSTED_PROXIES": "127.0.0.1,,"}, "TRUSTED_PROXIES"),
        ({"TRUSTED_PROXIES": "10.0.0.1/8"}, "TRUSTED_PROXIES"),
        ({"OIDC_ISSUER": "https://id.test"}, "OIDC_CLIENT_ID"),
        ({"OIDC_CLIENT_ID": "x"}, "OIDC_ISSUER"),
        ({"OIDC_ISSUER": "http://id.test", "OIDC_CLIENT_ID": "x"}, "OIDC_ISSUER"),
        ({"OIDC_ISSUER": "id.test", "OIDC_CLIENT_ID": "x"}, "OIDC_ISSUER"),
        ({"OIDC_ISSUER": "https://id.test/?a=1", "OIDC_CLIENT_ID": "x"}, "OIDC_ISSUER"),
        ({"OIDC_ISSUER": "https://[", "OIDC_CLIENT_ID": "x"}, "OIDC_ISSUER"),
        ({"SESSION_DAYS": "0"}, "SESSION_DAYS"), ({"SESSION_IDLE_DAYS": "x"}, "SESSION_IDLE_DAYS"),
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_is_named(environment: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsInvalid, match=named):
        settings.from_environment(environment)


def test_settings_that_can_be_are_taken() -> None:
    for issuer in ("https://id.test/realms/coop", "http://127.0.0.1:9", "http://localhost:9"):
        chosen = settings.from_environment({"OIDC_ISSUER": issuer, "OIDC_CLIENT_ID": "x"})
        assert chosen.has_oidc
    assert settings.from_environment({"TRUSTED_PROXIES": "*"}).trusted_proxies == "*"
    assert not settings.from_environment({}).has_oidc

"""The command line and the local run, as processes of their own."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest

from directory import cluster
from tests import people

PATIENCE = 90


async def filieres(*words: str, **environment: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "directory", *words, env=_environment(environment),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    ours = {name: text for name, text in os.environ.items() if name not in {"PORT", "VAR_DIR"}}
    return ours | {"COLUMNS": "200", "SECRET_KEY": "x" * 40} | dict(given)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_what_is_called_wrongly_ends_with_2(database: str) -> None:
    for words in (("no-such",), ("token", "create"), ("demo", "--members", "-1")):
        code, _, err = await filieres(*words, DATABASE_URL=database)
        assert code == 2, words
        assert "usage:" in err


async def test_a_malformed_setting_is_one_line_that_names_it(database: str) -> None:
    code, _, err = await filieres("migrate", DATABASE_URL=database, PORT="eighty")
    assert code == 1
    assert "PORT='eighty'" in err
    assert len(err.strip().splitlines()) == 1


async def test_serving_without_a_secret_is_refused_outside_the_demo(database: str) -> None:
    code, _, err = await filieres("serve", DATABASE_URL=database, SECRET_KEY="short")
    assert code == 1
    assert "SECRET_KEY" in err


async def test_a_database_that_is_not_there_is_one_line(database: str) -> None:
    code, _, err = await filieres("migrate", DATABASE_URL="postgresql://x@127.0.0.1:1/x")
    assert code == 1
    assert "DATABASE_URL" in err
    assert len(err.strip().splitlines()) == 1


async def test_a_token_is_printed_alone_and_works(
    connection: asyncpg.Connection, database: str, client: httpx.AsyncClient
) -> None:
    awa = await people.member(connection)
    words = ("token", "create", "--email", awa.email, "--scope", "members:read")
    code, out, _ = await filieres(*words, DATABASE_URL=database)
    assert code == 0
    headers = {"authorization": f"Bearer {out.strip()}"}
    assert (await client.get("/api/v1/me", headers=headers)).json()["email"] == awa.email
    code, out, err = await filieres(
        "token", "create", "--email", "rien@test.example", "--scope", "members:read",
        DATABASE_URL=database,
    )  # fmt: skip
    assert (code, out) == (1, "")
    assert "rien@test.example" in err


async def test_the_doctor_says_what_is_missing(
    connection: asyncpg.Connection, database: str
) -> None:
    code, out, _ = await filieres("doctor", DATABASE_URL=database)
    assert code == 3
    assert "up to date" in out
    assert "none was ever started" in out


async def test_a_port_that_is_taken_is_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        code, _, err = await filieres("run", PORT=port, VAR_DIR=str(tmp_path))
    assert code == 1
    assert f"port {port}" in err
    assert len(err.strip().splitlines()) == 1


@asynccontextmanager
async def local_run(folder: Path, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """`filieres run` in a process group of its own, once its page answers."""
    environment = _environment({"PORT": str(port), "VAR_DIR": str(folder), "SECRET_KEY": ""})
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "directory", "run", "--members", "40",
        env=environment, process_group=0, stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            for _ in range(PATIENCE * 5):
                assert process.returncode is None
                try:
                    if (await client.get("/api/v1/members")).status_code == 200:
                        break
                except httpx.TransportError:
                    await asyncio.sleep(0.2)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def members(port: int) -> int:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        total: int = (await client.get("/api/v1/members")).json()["total"]
        return total


def postmaster(folder: Path) -> int:
    return int((folder / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0])


def has_ended(pid: int) -> bool:
    """Gone, or a zombie that nobody has asked for yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


async def ends(pid: int) -> None:
    for _ in range(PATIENCE * 10):
        if has_ended(pid):
            return
        await asyncio.sleep(0.1)
    pytest.fail(f"process {pid} still runs")


async def test_a_local_run_stops_all_it_started_and_keeps_its_data(tmp_path: Path) -> None:
    port = free_port()
    async with local_run(tmp_path, port) as run:
        before = await members(port)
        server = postmaster(tmp_path)
        os.killpg(run.pid, signal.SIGINT)
        assert await asyncio.wait_for(run.wait(), PATIENCE) == 0
    assert before > 0
    await ends(server)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
    # The second start finds the data; killed, it takes Postgres and its own parts with it.
    async with local_run(tmp_path, port) as run:
        assert await members(port) == before
        server = postmaster(tmp_path)
        run.kill()
    await ends(server)


def test_the_embedded_server_is_joined_by_a_second_process_and_left_running(
    tmp_path: Path,
) -> None:
    with cluster.running(tmp_path, sync=False) as first, cluster.running(tmp_path) as second:
        assert first == second
    with cluster.running(tmp_path) as again:
        assert again == first

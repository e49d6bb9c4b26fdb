"""A real Postgres for the run, a database for each test, the app in the test's own loop."""

import functools
import itertools
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import asyncpg
import httpx
import pytest
from litestar import Litestar

from directory import cluster, db, operations, piccolo_conf, settings
from directory.app import create_app
from directory.members import vocabulary
from directory.settings import Settings
from search.postgres import PostgresEngine

ADMIN_URL = "TEST_POSTGRES_URL"
MEMORY = Path("/dev/shm")
ENOUGH_BYTES = 2**30

_stack = ExitStack()
_numbers = itertools.count()


def pytest_configure(config: pytest.Config) -> None:
    """The controller of the run starts the server; its workers inherit the address."""
    if hasattr(config, "workerinput") or ADMIN_URL in os.environ:
        return
    has_memory = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH_BYTES
    parent = MEMORY if has_memory else Path("/tmp")
    for old in parent.glob("filieres-test-*"):
        if not Path(f"/proc/{old.name.rpartition('-')[2]}").exists():
            shutil.rmtree(old, ignore_errors=True)
    folder = parent / f"filieres-test-{os.getpid()}"
    _stack.callback(shutil.rmtree, folder, ignore_errors=True)
    options = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")
    os.environ[ADMIN_URL] = _stack.enter_context(
        cluster.running(folder, options=options, sync=False)
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        os.environ.pop(ADMIN_URL, None)
        _stack.close()


def database_url(name: str) -> str:
    return os.environ[ADMIN_URL].replace(f"/{cluster.DATABASE}?", f"/{name}?")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
async def template(anyio_backend: str, worker_id: str) -> str:
    """A database with every migration and the reference data, to be cloned."""
    name = f"template_{worker_id}"
    admin = await asyncpg.connect(database_url("postgres"))
    await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    await admin.execute(f"CREATE DATABASE {name}")
    await admin.close()
    settings.use(Settings(demo=True, secret_key="x" * 40))
    async with operations.connected(database_url(name)):
        await operations.migrate()
    return name


async def clone(source: str, name: str) -> None:
    admin = await asyncpg.connect(database_url("postgres"))
    await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE {source} STRATEGY FILE_COPY")
    await admin.close()


@pytest.fixture
async def database(template: str, worker_id: str) -> AsyncIterator[str]:
    """The URL of a fresh database, which the code under test is pointed at."""
    name = f"test_{worker_id}_{next(_numbers)}"
    await clone(template, name)
    piccolo_conf.point_at(database_url(name))
    yield database_url(name)
    admin = await asyncpg.connect(database_url("postgres"))
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


@pytest.fixture
async def connection(database: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection beside the app's own, to look and to prepare."""
    opened = await asyncpg.connect(database)
    yield opened
    await opened.close()


@pytest.fixture
def chosen(tmp_path: Path) -> Settings:
    return Settings(
        demo=True, name="L’Établi", var_dir=tmp_path, secret_key="x" * 40,
        base_url="http://testserver.local",
    )  # fmt: skip


@functools.cache
def built(name: str, *, demo: bool) -> Litestar:
    """Putting the service together takes longer than most tests, and what it leaves is not freed.

    All else that it reads of the settings, it reads when it is asked: `begin` a test with it.
    """
    return create_app(Settings(name=name, demo=demo, secret_key="x" * 40), "")


def begin(app: Litestar, chosen: Settings, database: str) -> None:
    """Let a service that was built for another test forget that one's database."""
    settings.use(chosen)
    piccolo_conf.point_at(database)
    vocabulary.look_again()
    app.state["engine"] = PostgresEngine(db.connection)  # it keeps what it counted


@pytest.fixture
async def app(database: str, chosen: Settings) -> AsyncIterator[Litestar]:
    if chosen.meili_url:  # its connections end with it
        app = create_app(chosen, database)
    else:
        app = built(chosen.name, demo=chosen.demo)
        begin(app, chosen, database)
    async with app.lifespan():
        yield app


@pytest.fixture
async def client(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=cast(Any, app))
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver.local") as client:
        yield client

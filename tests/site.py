"""The whole service on a loopback port, with its worker and its mailbox, and a browser on it."""

import asyncio
import os
import re
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
import uvicorn
from playwright.async_api import Browser, Page, async_playwright

from directory import jobs, operations, piccolo_conf, settings
from directory.demo import mailbox
from directory.settings import Settings
from tests.conftest import begin, built, clone, database_url

MEMBERS = 300
PATIENCE = 30
LINK = re.compile(r"http://\S+")


class Site(msgspec.Struct, frozen=True):
    """A running installation with a demo community."""

    url: str
    database: str
    var_dir: Path

    async def mails(self, to: str, count: int = 1) -> list[mailbox.Letter]:
        """The letters to this address, newest first, once there are as many."""
        for _ in range(PATIENCE * 10):
            letters, total = mailbox.list_letters(to)
            if total >= count:
                return letters
            await asyncio.sleep(0.1)
        raise AssertionError(f"{total} mails to {to}, {count} awaited")

    def text(self, letter: mailbox.Letter) -> str:
        body = mailbox.get_mail(letter.name).get_body(("plain",))
        assert body is not None
        return str(body.get_content())


def demo_files(temporary: pytest.TempPathFactory) -> Path:
    """Where the files of the demo community are, to be linked where a test has its own."""
    return temporary.getbasetemp() / "demo"


@pytest.fixture(scope="session")
async def demo_template(
    template: str, worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The migrated database with a small demo community in it."""
    name = f"demo_{worker_id}"
    await clone(template, name)
    settings.use(Settings(demo=True, secret_key="x" * 40, var_dir=demo_files(tmp_path_factory)))
    async with operations.connected(database_url(name)):
        await operations.migrate()
        await operations.fill(MEMBERS, 1, lambda *_: None)
    return name


@pytest.fixture
async def site(
    demo_template: str, worker_id: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    name = f"site_{worker_id}"
    await clone(demo_template, name)
    held = demo_files(tmp_path_factory) / "files"
    shutil.copytree(held, tmp_path / "files", copy_function=os.link)
    url = database_url(name)
    piccolo_conf.point_at(url)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        async with mailbox.listening(tmp_path / "mailbox") as smtp_port:
            chosen = Settings(
                demo=True, name="L’Établi", var_dir=tmp_path, secret_key="x" * 40, port=port,
                smtp_url=f"smtp://127.0.0.1:{smtp_port}",
            )  # fmt: skip
            async with _web(chosen, url, listener), _worker(url):
                yield Site(chosen.public_url, url, tmp_path)


@asynccontextmanager
async def _web(chosen: Settings, url: str, listener: socket.socket) -> AsyncIterator[None]:
    app = built(chosen.name, demo=chosen.demo)
    begin(app, chosen, url)
    config = uvicorn.Config(app, log_level="warning", lifespan="on")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield
    server.should_exit = True
    await serving


@asynccontextmanager
async def _worker(url: str) -> AsyncIterator[None]:
    """In this process: starting another one takes longer than most tests. Others kill theirs."""
    stop = asyncio.Event()
    working = asyncio.create_task(jobs.run_worker(url, stop=stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(working, PATIENCE)


@pytest.fixture(scope="session")
async def browser(anyio_backend: str) -> AsyncIterator[Browser]:
    chromium = os.environ.get("CHROMIUM")
    if chromium is None:
        pytest.skip("no Chromium: run `make test`, which finds or installs one")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium or None,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-sync",
            ],
        )  # fmt: skip
        yield browser
        await browser.close()


@pytest.fixture
async def page(browser: Browser, site: Site) -> AsyncIterator[Page]:
    """A French reader's window. An error of a script or a broken request fails the test."""
    context = await browser.new_context(
        base_url=site.url, locale="fr-BE", viewport={"width": 1280, "height": 900}
    )
    context.set_default_timeout(10_000)
    page = await context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "response",
        lambda answer: (
            faults.append(f"{answer.status} {answer.url}") if answer.status >= 500 else None
        ),
    )
    yield page
    await context.close()
    assert faults == []


async def sign_in(page: Page, site: Site, email: str) -> None:
    """As a person does: ask for a link, open the mail, press the button."""
    before = len(mailbox.list_letters(email)[0])
    await page.goto("/login")
    await page.get_by_label("Adresse mail").fill(email)
    await page.get_by_role("button", name="M’envoyer un lien").click()
    letters = await site.mails(email, before + 1)
    links = LINK.findall(site.text(letters[0]))
    await page.goto(next(link for link in links if "/login/" in link))
    await page.get_by_role("button", name="Me connecter").click()

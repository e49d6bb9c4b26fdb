"""A real OpenID Connect provider on the loopback: npm's oidc-provider, as a process of its own."""

import asyncio
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import unescape
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from directory import cluster
from directory.settings import Settings

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
CLIENT = "filieres tests"
PATIENCE = 60
_ACTION = re.compile(r'action="([^"]+)"')
_HIDDEN = re.compile(r'type="hidden" name="([^"]+)" value="([^"]*)"')


def installed() -> Path:
    """The folder where the locked packages are, installed at the first time."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("no node or npm (Debian: apt-get install nodejs npm)")
    lock = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:16]
    cache = Path(os.environ.get("VAR_DIR", ROOT / "var")) / "oidc-provider"
    folder = cache / lock
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        made = Path(scratch) / "made"
        made.mkdir()
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(HERE / name, made)
        done = subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=made, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            words = f"npm ci did not work: {done.stderr[-500:]}"
            pytest.skip(words)
        try:
            made.rename(folder)
        except OSError:  # another process was quicker
            assert folder.is_dir()
    return folder


@asynccontextmanager
async def running(port: int, chosen: Settings, **environment: str) -> AsyncIterator[str]:
    """The issuer, once it answers. Its one client is the installation of these settings."""
    folder = installed()
    shutil.copy(HERE / "provider.mjs", folder)
    process = await asyncio.create_subprocess_exec(
        "node", "provider.mjs", cwd=folder, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL, preexec_fn=cluster.DiesWithParent(),
        env=os.environ | {
            "PORT": str(port), "REDIRECT_URI": f"{chosen.public_url}/login/oidc/callback",
            "CLIENT_SECRET": chosen.oidc_client_secret, "AUTH_METHOD": "client_secret_basic",
            **environment,
        },
    )  # fmt: skip
    assert process.stdout
    try:
        assert await asyncio.wait_for(process.stdout.readline(), PATIENCE) == b"ready\n"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def sign_in(browser: httpx.AsyncClient, address: str, login: str, until: str) -> str:
    """Walk through the provider's pages as `login`; the address under `until` it ends at."""
    for _ in range(12):
        if address.startswith(until):
            return address
        answer = await browser.get(address)
        while form := _ACTION.search(answer.text):
            fields = dict(_HIDDEN.findall(answer.text))
            if 'name="login"' in answer.text:
                fields |= {"login": login, "password": "any"}
            answer = await browser.post(urljoin(address, unescape(form[1])), data=fields)
        assert "location" in answer.headers, f"{address}\n{answer.text}"
        address = urljoin(address, answer.headers["location"])
    raise AssertionError(f"still at {address}")


async def sign_out(browser: httpx.AsyncClient, address: str) -> str:
    """Say yes on the provider's page of leaving; where it sends the browser then."""
    page = await browser.get(address)
    form = _ACTION.search(page.text)
    assert form, page.text
    fields = dict(_HIDDEN.findall(page.text)) | {"logout": "yes"}
    answer = await browser.post(urljoin(address, unescape(form[1])), data=fields)
    return answer.headers["location"]

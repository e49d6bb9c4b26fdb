"""Runs every check there is, one after the other, and lists at the end what could not run.

In CI (CI=true) what could not run is a failure, but for the runs against a Meilisearch server.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console

BIN = Path(sys.prefix) / "bin"
SOURCES = ("directory", "search", "migrations", "tests", "benchmarks", ".ci")
STATIC: dict[str, list[str]] = {
    "ruff": ["ruff", "check", "--quiet", *SOURCES],
    "ruff format": ["ruff", "format", "--check", "--quiet", *SOURCES],
    "mypy": ["mypy"],
    "imports": ["lint-imports"],
    "translations": ["python", ".ci/messages.py", "--check"],
    "house rules": ["python", "-m", "tests.house_rules"],
}
COMPOSE = ["check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml"]
out = Console(highlight=False)


def main() -> int:
    checks = dict(STATIC)
    missing: list[str] = []
    if "--static" not in sys.argv:
        checks |= {"compose": COMPOSE, "pytest": ["python", "-m", "pytest", "-n", "2", "-q"]}
        if not prepare_browser():
            missing.append("the browser tests: no Chromium (Debian: apt-get install chromium)")
        if not (shutil.which("node") and shutil.which("npm")):
            out.print("No node or npm: signing in at a real OpenID Connect provider is left out.")
        if not os.environ.get("MEILI_URL"):
            out.print("MEILI_URL is not set: the runs against a Meilisearch server are left out.")
    failed = [name for name, command in checks.items() if not run(name, command)]
    for words in missing:
        out.print(f"[yellow]could not run[/yellow] {words}")
    for name in failed:
        out.print(f"[red]failed[/red] {name}")
    return 1 if failed or (missing and os.environ.get("CI")) else 0


def run(name: str, command: list[str]) -> bool:
    out.print(f"[bold]{name}[/bold]")
    start = time.monotonic()
    program = BIN / command[0]
    done = subprocess.run([program, *command[1:]], check=False)
    out.print(f"  {time.monotonic() - start:.1f} s")
    return done.returncode == 0


def prepare_browser() -> bool:
    """Find a Chromium, or get one by the means of the platform; tests find it in CHROMIUM."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if path := shutil.which(name):
            os.environ["CHROMIUM"] = path
            return True
    out.print("No Chromium on this machine: asking Playwright for its own.")
    got = subprocess.run([BIN / "playwright", "install", "chromium"], check=False)
    if got.returncode == 0:
        os.environ["CHROMIUM"] = ""  # Playwright knows where it put it
        return True
    if os.geteuid() == 0 and shutil.which("apt-get"):
        out.print("That did not work: asking Debian's packages.")
        packages = ["chromium", "fonts-liberation"]
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        subprocess.run(["apt-get", "install", "-y", "-qq", *packages], check=False)
        if path := shutil.which("chromium"):
            os.environ["CHROMIUM"] = path
            return True
    return False


if __name__ == "__main__":
    sys.exit(main())

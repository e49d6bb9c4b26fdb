"""Write the three lock files: for production, for development, and for uv itself."""

import subprocess
import sys

COMPILE = [
    f"{sys.prefix}/bin/uv", "pip", "compile", "--quiet", "--universal", "--python-version=3.11",
    "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--no-annotate",
    "--no-header",
]  # fmt: skip


def lock(output: str, *words: str, given: str | None = None) -> None:
    subprocess.run([*COMPILE, *words, "-o", output], input=given, text=True, check=True)  # noqa: S603 - our own words


wish = sys.argv[1:]  # --upgrade: the newest of everything; nothing: what is locked stays
lock("requirements.lock", *wish, "pyproject.toml")
lock("requirements-dev.lock", *wish, "--extra=dev", "-c=requirements.lock", "pyproject.toml")
lock(".ci/uv.lock", "-c=requirements-dev.lock", "-", given="uv\n")

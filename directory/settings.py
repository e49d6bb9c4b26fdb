"""The settings of one process, read once from the environment."""

import functools
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, get_type_hints

import msgspec


class SettingsInvalid(Exception):
    """A setting is missing or malformed. The message names it."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Each field is the environment variable of the same name in capitals."""

    database_url: str = ""
    """A PostgreSQL 17+ URL. Empty: the embedded Postgres in `var_dir`."""

    var_dir: Path = Path("var")
    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 8000
    base_url: str = ""
    """The public address, for links in mails. Empty: http://localhost:<port>."""

    name: str = "Filières"
    secret_key: str = ""
    """Signs the links in mails; 32 characters or more. Needed outside the demo."""

    demo: bool = False
    smtp_url: str = "smtp://127.0.0.1:1025"
    """smtp://, smtp+starttls:// or smtps://, with user:password@ where the relay asks for it."""

    mail_from: str = "annuaire@etabli.example"
    files_url: Annotated[str, msgspec.Meta(pattern="^(|s3://[^/]+(/.*)?)$")] = ""
    """s3://bucket/prefix for photos and exports. Empty: the folder `files` in `var_dir`."""

    s3_endpoint: str = ""
    """Of a storage that is not Amazon's: https://storage.coop.example."""

    s3_region: str = "us-east-1"
    s3_access_key: str = ""
    s3_secret_key: str = ""
    invitations_per_hour: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 200
    """Mails to newly imported members, over all workers."""

    filieres_per_member: Annotated[int, msgspec.Meta(ge=1, le=20)] = 3
    meili_url: str = ""
    meili_key: str = ""
    meili_prefix: str = ""
    """Before the names of the indexes, where several installations share a server."""

    @property
    def public_url(self) -> str:
        return (self.base_url or f"http://localhost:{self.port}").rstrip("/")

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def secret(self) -> bytes:
        """The signing key. The demo makes its own once, in `var_dir`.

        :raises SettingsInvalid: outside the demo, when SECRET_KEY is missing or short.
        """
        if len(self.secret_key) >= 32:
            return self.secret_key.encode()
        if self.secret_key or not self.demo:
            raise SettingsInvalid("SECRET_KEY: 32 characters or more are needed outside the demo")
        return _demo_secret(self.var_dir.resolve())


@functools.cache
def _demo_secret(var_dir: Path) -> bytes:
    path = var_dir / "secret"
    var_dir.mkdir(parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
    except FileExistsError:
        pass  # made by an earlier start, or by the worker a moment ago
    return path.read_bytes()


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """:raises SettingsInvalid: with the name of the variable in its message."""
    hints = get_type_hints(Settings)
    given = {
        name: environment[name.upper()] for name in hints if environment.get(name.upper(), "") != ""
    }
    for name, text in given.items():
        try:
            msgspec.convert(text, hints[name] if hints[name] is not Path else str, strict=False)
            msgspec.convert({name: text}, Settings, strict=False, dec_hook=_decode)
        except msgspec.ValidationError as error:
            raise SettingsInvalid(f"{name.upper()}={text!r}: {error}") from error
    return msgspec.convert(given, Settings, strict=False, dec_hook=_decode)


def _decode(wanted: type, text: object) -> object:
    return Path(str(text)) if wanted is Path else text


_current: Settings | None = None


def use(settings: Settings) -> None:
    """Make these the settings of the process. Only the app and the command line call it."""
    global _current  # noqa: PLW0603 - job handlers have no other way to them
    _current = settings


def current() -> Settings:
    if _current is None:
        raise RuntimeError("use() was not called")
    return _current

"""The settings of one process, read once from the environment."""

import functools
import ipaddress
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, get_type_hints
from urllib.parse import urlsplit

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

    session_idle_days: Annotated[int, msgspec.Meta(ge=1, le=365)] = 14
    """A session that nobody used for as long ends; and any, in use or not, after session_days."""

    session_days: Annotated[int, msgspec.Meta(ge=1, le=365)] = 30
    trusted_proxies: str = "127.0.0.1,::1"
    """Whose X-Forwarded-For is believed: addresses and networks with commas between, or *."""

    oidc_issuer: Annotated[str, msgspec.Meta(pattern="^(|https?://[^\\s?#]+)$")] = ""
    """The OpenID Connect provider, as it names itself. Empty: the link by mail is the only way."""

    oidc_client_id: str = ""
    oidc_client_secret: str = ""
    """Empty: a public client, which PKCE alone protects."""

    oidc_name: str = ""
    """What the button calls the provider. Empty: its host."""

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
    erasure_days: Annotated[int, msgspec.Meta(ge=0, le=90)] = 14
    """How long an erasure that was confirmed can be undone."""

    dormant_years: Annotated[int, msgspec.Meta(ge=0, le=20)] = 3
    """An account that nobody signed in to for so long is erased, after two mails. 0: never."""

    left_days: Annotated[int, msgspec.Meta(ge=0, le=3650)] = 365
    """A member who left is erased so long after, announced the same way. 0: never."""

    retention_per_night: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 50
    """At most so many people are told each night that they will be erased, or are erased."""

    proof_years: Annotated[int, msgspec.Meta(ge=1, le=30)] = 5
    """The audit log, and the ledgers of those who were erased, are kept so long."""

    consent_years: Annotated[int, msgspec.Meta(ge=0, le=20)] = 3
    """Consents of somebody not heard of for so long end, a month after a mail. 0: never."""

    freshness_days: Annotated[int, msgspec.Meta(ge=0, le=3650)] = 182
    """A profile that nobody confirmed for so long asks its owner, by one mail. 0: never."""

    freshness_per_hour: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 200
    """At most so many such mails an hour."""

    invitations_per_hour: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 200
    """Mails to newly imported members, over all workers."""

    filieres_per_member: Annotated[int, msgspec.Meta(ge=1, le=20)] = 3
    supports_needed: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 10
    """So many members, its proposer among them, bring a proposal to the coordinators."""
    dossier_members: Annotated[int, msgspec.Meta(ge=5, le=100_000)] = 150
    """Of a filière's dossier: the members of its trades that it takes."""

    dossier_share: Annotated[float, msgspec.Meta(ge=0, le=100)] = 1.0
    """Their share of the community, in percent."""

    dossier_trend: Annotated[int, msgspec.Meta(ge=-100, le=1000)] = 0
    """How much they grew in a year, in percent."""

    dossier_offices: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 3
    """In how many offices they are, with `dossier_office_members` each."""

    dossier_office_members: Annotated[int, msgspec.Meta(ge=5, le=10_000)] = 5
    dossier_turnover: Annotated[
        str, msgspec.Meta(pattern="^(under_10k|10k_25k|25k_50k|50k_100k|over_100k)$")
    ] = "10k_25k"
    """The band of the median of their declared turnovers."""

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
    def has_secure_cookies(self) -> bool:
        """Browsers take such cookies over https, and from localhost."""
        return self.is_https or not self.demo

    @property
    def has_oidc(self) -> bool:
        return bool(self.oidc_issuer)

    @property
    def provider_name(self) -> str:
        """'' where there is none."""
        host = urlsplit(self.oidc_issuer).netloc
        return (self.oidc_name or host) if self.has_oidc else ""

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
    chosen = msgspec.convert(given, Settings, strict=False, dec_hook=_decode)
    _check_provider(chosen)
    _check_proxies(chosen)
    return chosen


def _check_provider(chosen: Settings) -> None:
    if bool(chosen.oidc_issuer) != bool(chosen.oidc_client_id):
        raise SettingsInvalid("OIDC_ISSUER and OIDC_CLIENT_ID: each needs the other")
    if not chosen.oidc_issuer:
        return
    try:
        url = urlsplit(chosen.oidc_issuer)
        is_safe = url.scheme == "https" or is_loopback(url.hostname or "")
    except ValueError:
        is_safe = False
    if not is_safe:
        raise SettingsInvalid(
            f"OIDC_ISSUER={chosen.oidc_issuer!r}: https://, or http:// on this machine alone"
        )


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_proxies(chosen: Settings) -> None:
    for text in chosen.trusted_proxies.split(","):
        try:
            if text.strip() != "*":
                ipaddress.ip_network(text.strip())
        except ValueError as error:
            raise SettingsInvalid(f"TRUSTED_PROXIES={text.strip()!r}: {error}") from error


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

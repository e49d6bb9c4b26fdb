"""The processes that are measured: each with settings of its own, ended with the run."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from directory import cluster
from directory.settings import Settings

START_SECONDS = 30
STOP_SECONDS = 30


class DidNotStart(Exception):
    """A process ended by itself, or did not listen. The message names it."""


def environment(chosen: Settings) -> dict[str, str]:
    """These settings, and none of those that this process was started with."""
    names = {name.upper() for name in Settings.__struct_fields__}
    given = {
        name.upper(): str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in msgspec.structs.asdict(chosen).items()
        if value not in {"", None}
    }
    return {name: text for name, text in os.environ.items() if name not in names} | given


@contextmanager
def started(
    words: Sequence[str], environment: Mapping[str, str], *, has_pipes: bool = False
) -> Iterator[subprocess.Popen[bytes]]:
    """Python with these words. It dies with this process, however it ends.

    One that has pipes is expected to end by itself at the end of its input.
    """
    pipe = subprocess.PIPE if has_pipes else None
    process = subprocess.Popen(
        [sys.executable, *words], env=environment, preexec_fn=cluster.DiesWithParent(),
        stdin=pipe or subprocess.DEVNULL, stdout=pipe,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.stdin:
            process.stdin.close()
        else:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def serving(
    words: Sequence[str], environment: Mapping[str, str], port: int
) -> Iterator[subprocess.Popen[bytes]]:
    """:raises DidNotStart:"""
    with started(words, environment) as process:
        for _ in range(START_SECONDS * 10):
            if process.poll() is not None:
                break
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    yield process
                    return
            time.sleep(0.1)
        raise DidNotStart(f"{' '.join(words)}: not listening, exit code {process.poll()}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def resident(pid: int) -> float | None:
    """MiB of the process that are in memory; None where there is no /proc."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except FileNotFoundError:
        return None
    kibibytes = next(line.split()[1] for line in lines if line.startswith("VmRSS:"))
    return int(kibibytes) / 1024

"""The times of each class of queries, over HTTP and of what lies below, as rows of a table."""

import statistics
from collections.abc import Iterable, Sequence
from http import HTTPStatus

import msgspec

from benchmarks import questions, reports
from benchmarks.clients import Client, Found
from benchmarks.direct import Direct, Times
from benchmarks.questions import Kind

WARM_UP = 20
WARM_UP_SEED = questions.SEED + 1
COLUMNS = ("", "n", "found", "KiB", "p50 ms", "p95 ms", "÷ bare")
COLUMNS_OF_ENGINE = ("engine p50 ms", "÷ engine")
COLUMNS_OF_SERVER = ("server p50 ms", "÷ server")


class Timing(msgspec.Struct):
    """Of one class: seconds of each request. found and kibibytes are medians; degraded counts the
    answers of another engine than the one measured. direct is None for the baselines."""

    name: str
    seconds: list[float]
    found: float | None = None
    kibibytes: float | None = None
    degraded: int = 0
    direct: Times | None = None


def ask(
    kind: Kind, count: int, clients: tuple[Client, Client], direct: Direct, token: str, engine: str
) -> Timing | None:
    """None where the API does not know what is asked. clients: signed in, and not."""
    client = clients[0] if kind.is_signed_in else clients[1]
    paths, warm_up = kind.paths(count), kind.paths(WARM_UP, seed=WARM_UP_SEED)
    client.close()
    if client.ask(warm_up[0]).status == HTTPStatus.BAD_REQUEST:
        return None
    for path in warm_up:
        client.get(path)
    answers = [client.get(path) for path in paths]
    known = token if kind.is_signed_in else ""
    direct.times(warm_up, known)
    timing = Timing(
        kind.name,
        [answer.seconds for answer in answers],
        kibibytes=statistics.median(len(answer.body) for answer in answers) / 1024,
        direct=direct.times(paths, known),
    )
    if kind.path == questions.API:
        found = [msgspec.json.decode(answer.body, type=Found) for answer in answers]
        timing.found = statistics.median(each.total for each in found)
        timing.degraded = sum(each.engine != engine for each in found)
    return timing


def ask_bare(client: Client, count: int) -> Timing:
    for _ in range(WARM_UP):
        client.get("/bare")
    answers = [client.get("/bare") for _ in range(count)]
    return Timing(
        "bare Litestar route",
        [answer.seconds for answer in answers],
        kibibytes=len(answers[0].body) / 1024,
    )


def together(name: str, timings: Iterable[Timing]) -> Timing:
    given = list(timings)
    direct = Times([], [], 0)
    for timing in given:
        if timing.direct:
            direct.engine += timing.direct.engine
            direct.server += timing.direct.server
    return Timing(name, [each for timing in given for each in timing.seconds], direct=direct)


def columns(timings: Iterable[Timing]) -> tuple[str, ...]:
    has_server = any(timing.direct and timing.direct.server for timing in timings)
    return (*COLUMNS, *COLUMNS_OF_ENGINE, *(COLUMNS_OF_SERVER if has_server else ()))


def row(timing: Timing, bare: Timing, width: int) -> list[str]:
    middle = statistics.median(timing.seconds)
    cells = [
        timing.name,
        str(len(timing.seconds)),
        "" if timing.found is None else f"{timing.found:,.0f}",
        "" if timing.kibibytes is None else f"{timing.kibibytes:.1f}",
        reports.milliseconds(middle),
        reports.milliseconds(percentile(timing.seconds, 95)),
        f"{middle / statistics.median(bare.seconds):.1f}",
    ]
    for seconds in (timing.direct.engine, timing.direct.server) if timing.direct else ():
        if seconds:
            below = statistics.median(seconds)
            cells += [reports.milliseconds(below), f"{middle / below:.1f}"]
    return cells + [""] * (width - len(cells))


def percentile(seconds: Sequence[float], percent: int) -> float:
    if len(seconds) == 1:
        return seconds[0]
    return statistics.quantiles(seconds, n=100, method="inclusive")[percent - 1]


def notes(timings: Iterable[Timing]) -> list[str]:
    """What would make a figure say something else than its column."""
    return [
        f"{timing.name}: {timing.degraded} of {len(timing.seconds)} answers came from the other"
        f" engine, and {timing.direct.failed} searches of the engine alone gave up."
        for timing in timings
        if timing.direct and (timing.degraded or timing.direct.failed)
    ]

"""The baseline of the framework: one Litestar route that answers a small JSON and reads nothing."""

from litestar import Litestar, get


@get("/bare")
async def bare() -> dict[str, list[int]]:
    return {"items": list(range(20))}


app = Litestar([bare], openapi_config=None)

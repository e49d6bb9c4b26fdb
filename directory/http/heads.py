"""HEAD is GET without the body (RFC 9110, 9.3.2): Litestar answers it with 405."""

from typing import Any

from litestar import Litestar


class Service(Litestar):
    """The application, which answers HEAD wherever it answers GET."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope.get("method") != "HEAD":
            await super().__call__(scope, receive, send)
            return

        async def send_head(message: Any) -> None:
            if message["type"] == "http.response.body":
                message["body"] = b""
            await send(message)

        # A copy: the server looks at its own to know that no body is to follow.
        asked: Any = {**scope, "method": "GET"}
        await super().__call__(asked, receive, send_head)

"""Signing in."""

import httpx


async def test_the_about_page_answers(client: httpx.AsyncClient) -> None:
    answer = await client.get("/about")
    assert answer.status_code == 200, answer.text

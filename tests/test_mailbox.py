"""The demo's mailbox, over real SMTP."""

import httpx

from directory import mail
from directory.demo import mailbox
from directory.settings import Settings


async def test_a_mail_sent_by_smtp_is_read_in_the_browser(
    client: httpx.AsyncClient, chosen: Settings
) -> None:
    message = mail.Message(
        to="awa@etabli.example", subject="Épreuve <b>", text="Bonjour\nhttps://etabli.example/x\n",
        html="<p>Bonjour</p>",
    )  # fmt: skip
    async with mailbox.listening(chosen.var_dir / "mailbox") as port:
        relay = Settings(smtp_url=f"smtp://127.0.0.1:{port}", var_dir=chosen.var_dir)
        await mail.send(message, relay)

    page = await client.get("/demo/mailbox", params={"to": "AWA@"})
    assert "Épreuve &lt;b&gt;" in page.text
    assert "1 mail" in page.text
    (letter,) = mailbox.list_letters()[0]
    shown = await client.get(f"/demo/mailbox/{letter.name}")
    assert '<a href="https://etabli.example/x"' in shown.text
    laid_out = await client.get(f"/demo/mailbox/{letter.name}/html")
    assert laid_out.text.strip() == "<p>Bonjour</p>"
    assert laid_out.headers["content-security-policy"].startswith(
        "default-src 'none'; style-src 'u"
    )


async def test_a_name_that_is_no_letter_of_the_mailbox_is_not_found(
    client: httpx.AsyncClient,
) -> None:
    for name in ("../secret", "..%2Fsecret", "1", "x" * 300, "%00"):
        answer = await client.get(f"/demo/mailbox/{name}")
        assert answer.status_code == 404, name

"""What a reader gets: clean HTML and text, right headers, and the same bytes as EmailMessage's."""

import email
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from html import escape, unescape

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from directory import errors
from directory.filieres.lifecycle import Stage
from directory.filieres.registry import FiliereRef, Kind
from directory.mailings import composition, letters, prepared
from directory.mailings.letters import Letter, Reader
from directory.settings import Settings
from directory.subscriptions import links
from directory.subscriptions.topics import Topic

SETTINGS = Settings(
    name="L’Établi", secret_key="x" * 40, base_url="https://annuaire.etabli.example",
    mail_from="annuaire@etabli.example",
)  # fmt: skip
WEB, IMAGE = (
    FiliereRef(id=number, slug=slug, name=name, kind=Kind.TRADE, stage=Stage.ACTIVE)
    for number, slug, name in [(1, "metiers-du-web", "Métiers du web"), (2, "image", "Image")]
)
LETTER = Letter(
    7, Topic.TRAININGS, "fr", "Chiffrer un site : une deuxième session le 4 février",
    "Bonjour,\n\n.Une ligne qui commence par un point, **et du gras**.\n\n"
    "[S’inscrire, 24 places](https://annuaire.etabli.example/e/1?a=b&c=d)\n",
    "Clémence Wauters", "clemence@wauters.example",
)  # fmt: skip
READER = Reader(12, "awa@lemaire.example", "fr", (1, 2), datetime(2026, 8, 14, 22, 30, tzinfo=UTC))


def parsed(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def written(letter: Letter = LETTER, reader: Reader = READER) -> EmailMessage:
    return parsed(
        letters.prepare(letter, SETTINGS, "fr", [WEB, IMAGE]).fill(
            letters.personal(letter, SETTINGS, reader)
        )
    )


def content(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    text: str = part.get_content()
    return text


def test_the_headers_let_a_reader_answer_the_animator_and_leave_by_one_click() -> None:
    message = written()
    stop = "https://annuaire.etabli.example" + links.unsubscribe_path(
        SETTINGS.secret, 12, "trainings", [1, 2]
    )
    assert message["From"].addresses[0].display_name == "Clémence Wauters, Métiers du web"
    assert message["From"].addresses[0].addr_spec == "annuaire@etabli.example"
    assert message["Reply-To"] == "clemence@wauters.example"
    assert message["To"] == "awa@lemaire.example"
    assert message["Subject"] == LETTER.subject
    assert message["List-Unsubscribe"] == f"<{stop}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-Id"] == "<metiers-du-web.etabli.example>"
    assert message["Message-ID"].startswith("<7.12.")
    assert message["Message-ID"] == written()["Message-ID"]
    assert message["Date"].datetime.tzinfo
    for kind in ("plain", "html"):
        assert stop in content(message, kind)
        assert links.preferences_path(SETTINGS.secret, 12) in content(message, kind)


def test_the_foot_says_the_day_and_the_choice() -> None:
    for kind in ("plain", "html"):
        said = unescape(content(written(), kind))
        assert "Le 15 août 2026, vous avez choisi" in said
        assert "Formations, tout de suite" in said
        assert "Image\u00a0: ce mail ne vous est envoyé qu’une fois." in said


def test_markup_in_the_subject_and_in_names_is_text() -> None:
    letter = msgspec.structs.replace(
        LETTER, subject='<script>alert("1")</script> & co', author="<b>Clémence</b>"
    )
    html = content(written(letter), "html")
    assert "<script" not in html
    assert "<b>Clémence" not in html
    assert "&lt;script&gt;" in html
    assert written(letter)["Subject"] == letter.subject


def test_a_line_break_in_a_name_makes_no_header() -> None:
    letter = msgspec.structs.replace(LETTER, author="Eve\r\nBcc: all@test.example\x00")
    message = written(letter)
    assert message["Bcc"] is None
    assert message["From"].addresses[0].display_name.startswith("Eve Bcc: all@test.example")


@pytest.mark.parametrize("sign", ["\r", "\n", "\r\n", "\0", "\x85", "\u2028", "\x1b"])
def test_a_subject_with_a_line_break_is_refused_by_name(sign: str) -> None:
    with pytest.raises(errors.Malformed) as refused:
        composition.check_subject(f"Réunion{sign}Bcc: all@test.example")
    assert [error.field for error in refused.value.fields] == ["subject"]


def test_only_links_to_the_web_and_to_addresses_are_links() -> None:
    html = composition.html(
        "[a](https://x.example) [b](mailto:x@y.example) [c](javascript:alert(1)) [d](/local) "
        "[e](data:text/html,x) ![f](https://x.example/f.png)\n\n<img src=x onerror=alert(1)>\n\n"
        "[g]: javascript:alert(1)\n\n[g]\n\n<javascript:alert(1)>\n"
    )
    assert html.count("<a ") == 3
    assert "<img" not in html
    assert 'href="javascript' not in html


@given(st.text(alphabet=st.sampled_from('<>/"= \n\t[]()!*_`#-&;:javscriptonlg'), max_size=200))
def test_no_markdown_makes_anything_but_the_tags_of_a_mail(body: str) -> None:
    html = composition.html(body)
    assert composition.html(body) == html
    assert "<script" not in html.lower()
    assert "<img" not in html.lower()
    composition.text(body)
    composition.preheader(body)


def test_the_text_part_reads_as_text() -> None:
    assert composition.text(
        "# Titre\n\nUn **mot**,\nune ligne.\n\n- a\n- b [c](https://x.example)\n\n> cité\n\n2. z\n"
    ) == ("Titre\n\nUn mot,\nune ligne.\n\n- a\n- b c (https://x.example)\n\n> cité\n\n2. z\n")


names = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=60)
bodies = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=400)


@given(
    subject=names.map(str.strip).filter(bool), text=bodies, html=bodies, value=names,
    link=st.text(st.sampled_from("abcXYZ019-._~:/?&=%"), max_size=200),
)  # fmt: skip
def test_prepared_bytes_say_what_an_email_message_would(
    subject: str, text: str, html: str, value: str, link: str
) -> None:
    marks = prepared.Marks(["value", "link"])

    def part(literal: str, value: str, link: str) -> str:
        return f"{literal}{value}{literal}{link}\n"

    raw = prepared.prepare(
        {"From": "annuaire@etabli.example", "Subject": subject},
        {"X-Link": marks["link"]},
        part(text, marks["value"], marks["link"]),
        part(html, marks["value"], marks["link"]),
        marks,
    ).fill({"value": value, "link": link})
    assert all(len(line) <= 76 for line in raw.partition(b"\r\n\r\n")[2].split(b"\r\n"))

    oracle = EmailMessage(policy.SMTP)
    oracle["From"], oracle["Subject"], oracle["X-Link"] = "annuaire@etabli.example", subject, link
    oracle.set_content(part(text, value, link), cte="quoted-printable")
    oracle.add_alternative(
        part(html, escape(value), escape(link)), subtype="html", cte="quoted-printable"
    )
    ours, theirs = parsed(raw), parsed(oracle.as_bytes())
    assert ours["From"] == theirs["From"]
    assert ours["Subject"] == theirs["Subject"]
    assert ours.get_content_type() == theirs.get_content_type()
    for kind in ("plain", "html"):
        assert content(ours, kind).rstrip("\n") == content(theirs, kind).rstrip("\n")


@pytest.mark.parametrize("value", ["a\r\nBcc: b@test.example", "é@test.example", "a\nb"])
def test_a_personal_header_takes_plain_words_only(value: str) -> None:
    marks = prepared.Marks(["to"])
    message = prepared.prepare({"Subject": "x"}, {"To": marks["to"]}, "", "", marks)
    with pytest.raises(ValueError, match="not fit"):
        message.fill({"to": value})

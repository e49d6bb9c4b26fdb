"""What an animator writes, in Markdown, and what a reader gets of it: clean HTML, plain text."""

import re

import nh3
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from directory import errors, mail
from directory.languages import marked

SUBJECT_LENGTH = 200
BODY_LENGTH = 20_000
SCHEMES = frozenset({"http", "https", "mailto"})
TAGS = {
    "p", "br", "strong", "em", "a", "ul", "ol", "li", "blockquote", "h2", "h3", "hr", "code", "pre",
}  # fmt: skip
PREHEADER_LENGTH = 110
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class _Markdown(MarkdownIt):
    """CommonMark without raw HTML and images. A link that leads elsewhere stays as it was typed."""

    def __init__(self) -> None:
        super().__init__("commonmark", {"html": False, "breaks": True})
        self.disable(["image", "html_block", "html_inline"])

    def validateLink(self, url: str) -> bool:  # noqa: N802 - the library's name
        return url.partition(":")[0].lower() in SCHEMES


_markdown = _Markdown()


def check_subject(subject: str) -> str:
    """The subject without its outer spaces.

    :raises errors.Malformed: naming `subject`, when it is empty, long or has a line break.
    """
    # A control character that header_text lets through is refused as a line break is.
    subject = mail.header_text("subject", _INVISIBLE.sub("\n", subject)).strip()
    if not subject:
        raise errors.Malformed.field(
            "subject", marked("Écrivez un objet, par exemple « Réunion du 4 février à Namur ».")
        )
    if len(subject) > SUBJECT_LENGTH:
        raise errors.Malformed.field(
            "subject",
            marked("L’objet a %(length)s signes. Gardez-en %(most)s au plus."),
            length=len(subject),
            most=SUBJECT_LENGTH,
        )
    return subject


def check_body(body: str) -> str:
    """:raises errors.Malformed: naming `body`, when it is empty, long or not plain text."""
    if not body.strip():
        raise errors.Malformed.field("body", marked("Écrivez le texte du mail."))
    if len(body) > BODY_LENGTH:
        raise errors.Malformed.field(
            "body",
            marked("Le texte a %(length)s signes. Gardez-en %(most)s au plus."),
            length=len(body),
            most=BODY_LENGTH,
        )
    if _FORBIDDEN.search(body):
        raise errors.Malformed.field(
            "body",
            marked("Le texte contient des caractères invisibles. Collez-le sans mise en forme."),
        )
    return body.replace("\r\n", "\n").replace("\r", "\n")


def one_line(name: str) -> str:
    """A name that was typed elsewhere, fit for a header."""
    return " ".join(_INVISIBLE.sub(" ", name).split())


def html(body: str) -> str:
    """Clean HTML. The mail's title is its h1: headings start at h2."""
    tokens = _markdown.parse(body)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = "h2" if token.tag in {"h1", "h2"} else "h3"
    return nh3.clean(
        _markdown.renderer.render(tokens, _markdown.options, {}),
        tags=TAGS,
        attributes={"a": {"href"}},
        url_schemes=set(SCHEMES),
    )


def text(body: str) -> str:
    """Plain text: a link is its words and its address."""
    return "\n".join(_lines(SyntaxTreeNode(_markdown.parse(body)))) + "\n"


def preheader(body: str) -> str:
    """The first words, which a list of mails shows after the subject."""
    words = " ".join(text(body).split())
    return words if len(words) <= PREHEADER_LENGTH else words[:PREHEADER_LENGTH].rstrip() + "…"


def _lines(node: SyntaxTreeNode) -> list[str]:
    match node.type:
        case "inline":
            lines = _words(node).split("\n")
        case "bullet_list" | "ordered_list":
            first = int(node.attrs.get("start", 1))
            lines = [
                line
                for number, item in enumerate(node.children, first)
                for line in _hung(
                    "- " if node.type == "bullet_list" else f"{number}. ", _lines(item)
                )
            ]
        case "blockquote":
            lines = [f"> {line}".rstrip() for line in _blocks(node)]
        case "hr":
            lines = ["---"]
        case "fence" | "code_block":
            lines = [f"    {line}" for line in node.content.rstrip("\n").split("\n")]
        case "paragraph" | "heading":
            lines = [line for child in node.children for line in _lines(child)]
        case _:
            lines = _blocks(node)
    return lines


def _blocks(node: SyntaxTreeNode) -> list[str]:
    lines: list[str] = []
    for child in node.children:
        is_apart = lines and not (node.type == "list_item" and child.type.endswith("_list"))
        lines += ["", *_lines(child)] if is_apart else _lines(child)
    return lines


def _hung(mark: str, lines: list[str]) -> list[str]:
    indent = " " * len(mark)
    return [
        (mark if number == 0 else indent) + line if line or number == 0 else ""
        for number, line in enumerate(lines or [""])
    ]


def _words(node: SyntaxTreeNode) -> str:
    match node.type:
        case "softbreak" | "hardbreak":
            return "\n"
        case "link":
            label, address = _children(node), str(node.attrs.get("href", ""))
            is_same = label in {address, address.removeprefix("mailto:")}
            return label if is_same else f"{label} ({address.removeprefix('mailto:')})"
        case "inline" | "strong" | "em":
            return _children(node)
        case _:
            return node.content


def _children(node: SyntaxTreeNode) -> str:
    return "".join(_words(child) for child in node.children)

"""The form of the choices: one field `<slug>.<topic>` for each, and the wordings it showed."""

import re
from collections.abc import Mapping

from directory import errors
from directory.languages import marked
from directory.subscriptions import wordings
from directory.subscriptions.consent import Choice
from directory.subscriptions.topics import Rhythm, Topic

_IDS = re.compile(r"\d{1,18}( \d{1,18}){0,9}")
_RHYTHMS = {"": None, **{rhythm.value: rhythm for rhythm in Rhythm}}
_TOPICS = {topic.value: topic for topic in Topic}


async def read(form: Mapping[str, str], *others: str) -> list[Choice]:
    """The choices of a form that also has the fields `others`.

    :raises errors.Malformed: for a field or a value that the form does not have.
    """
    shown = await _shown(form.get("wordings", ""))
    choices: list[Choice] = []
    for field, text in form.items():
        if field in {"wordings", *others}:
            continue
        slug, _, name = field.partition(".")
        if name not in _TOPICS:
            raise errors.Malformed.field(
                field, marked("Le champ « %(bound)s » n’existe pas."), bound=field
            )
        if text not in _RHYTHMS:
            raise errors.Malformed.field(field, marked("Cette valeur n’existe pas."))
        topic = _TOPICS[name]
        wording = shown.get(topic)
        choices.append(Choice(slug, topic, _RHYTHMS[text], wording.id if wording else None))
    return choices


def version(text: str) -> int | None:
    """Of the method sheet that is accepted; None where the box is empty.

    :raises errors.Malformed: for what is no number.
    """
    if not text:
        return None
    if not re.fullmatch("[0-9]{1,6}", text):
        raise errors.Malformed.field("method_version", marked("Cette valeur ne convient pas."))
    return int(text)


async def _shown(text: str) -> dict[Topic, wordings.Wording]:
    if not text:
        return {}
    if not _IDS.fullmatch(text):
        raise errors.Malformed.field("wordings", marked("Cette valeur ne convient pas."))
    return await wordings.list_by_id([int(part) for part in text.split()])

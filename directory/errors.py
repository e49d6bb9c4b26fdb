"""What can go wrong, as named errors that carry the HTTP status they become.

A message is a French msgid with %(name)s places; it is put into the reader's language where it is
shown, so that the same error serves a page and the API.
"""

import msgspec

from directory.languages import marked


class FieldError(msgspec.Struct, frozen=True):
    """What is wrong with one value. `field` is the name of the parameter or of the form field."""

    field: str
    message: str
    params: dict[str, object] = {}


class Problem(Exception):
    """The root of what a person may see (RFC 9457). `kind` ends the problem's type URI.

    `options` are the ways out that a program can take, where there are some.
    """

    status = 500
    kind = "internal"
    title = marked("Une erreur de notre côté")
    options: tuple[dict[str, str], ...] = ()

    def __init__(
        self, message: str = "", /, fields: tuple[FieldError, ...] = (), **params: object
    ) -> None:
        super().__init__(message % params if message else self.title)
        self.message = message or self.title
        self.params = params
        self.fields = fields


class Malformed(Problem):
    status = 400
    kind = "malformed"
    title = marked("Une valeur ne convient pas")

    @classmethod
    def field(cls, field: str, message: str, /, **params: object) -> "Malformed":
        return cls(message, (FieldError(field, message, params),), **params)


class SignInNeeded(Problem):
    status = 401
    kind = "sign-in-needed"
    title = marked("Connectez-vous pour continuer")


class Forbidden(Problem):
    status = 403
    kind = "forbidden"
    title = marked("Vous n’avez pas accès à cette action")


class NotFound(Problem):
    status = 404
    kind = "not-found"
    title = marked("Cette page n’existe pas")


class Conflict(Problem):
    status = 409
    kind = "conflict"
    title = marked("Ce n’est pas possible en l’état")


class Gone(Problem):
    status = 410
    kind = "gone"
    title = marked("Ce lien ne sert plus")


class Outdated(Problem):
    """What If-Match names is no longer there (RFC 9110)."""

    status = 412
    kind = "outdated"
    title = marked("Cela a changé entre-temps")


class Unsupported(Problem):
    status = 415
    kind = "unsupported"
    title = marked("Ce format n’est pas lu ici")


class VersionNeeded(Problem):
    """RFC 6585: a change that says nothing of the version that was read."""

    status = 428
    kind = "version-needed"
    title = marked("Dites quelle version vous avez lue")


class TooMany(Problem):
    status = 429
    kind = "too-many-requests"
    title = marked("Trop de demandes à la suite")

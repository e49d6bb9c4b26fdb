"""Addresses of the search page: each state of it has one."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlencode, urlsplit

from directory.http.pages import AnyRequest
from directory.web import wishes
from directory.web.wishes import Whereabouts, Wish

FORM = "search"  # the id of the form, which htmx says in HX-Trigger


def around(wish: Wish, whereabouts: Whereabouts) -> Callable[..., str]:
    """Addresses of the same search with something changed, for links."""

    def address(
        *, without: tuple[str, str | None] | None = None, page: int = 1, exact: bool | None = None,
        bare: bool = False, sort: str | None = None, within_km: float | None = None,
    ) -> str:  # fmt: skip
        """Without one value of a facet, or all of them (None), or without ("near", None); bare is
        without any filter."""
        pairs = [("q", wish.text)] if wish.text else []
        if not bare:
            pairs += [
                (facet, value)
                for facet, values in wish.filters.items()
                for value in values
                if without not in {(facet, value), (facet, None)}
            ]
        has_near = not bare and without != ("near", None)
        if has_near and whereabouts.asked:
            pairs.append(("near", whereabouts.asked))
        if has_near and wish.place:
            pairs.append(("within_km", f"{within_km or wish.place.around.within_km:g}"))
        order = wish.sort if sort is None else sort
        if order != "relevance" and (order != "distance" or (has_near and wish.place)):
            pairs.append(("sort", order))
        if wish.is_exact if exact is None else exact:
            pairs.append(("exact", "true"))
        if wish.limit != wishes.PAGE_LIMIT:
            pairs.append(("limit", str(wish.limit)))
        if page > 1:
            pairs.append(("page", str(page)))
        return f"/?{urlencode(pairs)}" if pairs else "/"

    return address


def untouched(request: AnyRequest) -> str:
    """The facet whose own choice is all that the form has changed since the page was drawn.

    Its counts ignore its own choice: it stays as it is, with what is focused, open and typed in it.
    """
    if request.headers.get("hx-trigger") != FORM:
        return ""
    before = parse_qs(urlsplit(request.headers.get("hx-current-url", "")).query)
    now = parse_qs(request.scope["query_string"].decode("latin-1"))
    changed = {name for name in before.keys() | now.keys() if before.get(name) != now.get(name)}
    changed.discard("page")
    return changed.pop() if len(changed) == 1 and changed <= set(wishes.FACETS) else ""

"""Where in a text the words of a query stand."""

from collections.abc import Collection

from search import normaliser


def ranges(
    text: str, keys: Collection[str], prefixes: Collection[str] = ()
) -> list[tuple[int, int]]:
    """Pairs (start, end) of the words to light up, in order. Inclusive writing is one word."""
    begun = tuple(prefix for prefix in prefixes if prefix)
    return [
        (token.start, token.end)
        for token in normaliser.tokens(text)
        if any(
            word.key in keys or (word.form.startswith(begun) if begun else False)
            for word in token.words
        )
    ]

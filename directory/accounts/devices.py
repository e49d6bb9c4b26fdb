"""Which browser on which system, in words, from what the browser says of itself.

The first name found counts: browsers say the names of those they descend from as well. What is not
on the list has no name rather than a wrong one.
"""

BROWSERS = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"), ("YaBrowser/", "Yandex"), ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"), ("CriOS/", "Chrome"), ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"), ("Safari/", "Safari"),
)  # fmt: skip
SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
    ("CrOS", "ChromeOS"), ("Macintosh", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


def browser(user_agent: str) -> str:
    return _first(user_agent, BROWSERS)


def system(user_agent: str) -> str:
    return _first(user_agent, SYSTEMS)


def _first(user_agent: str, names: tuple[tuple[str, str], ...]) -> str:
    return next((name for token, name in names if token in user_agent), "")

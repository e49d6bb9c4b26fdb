"""The rules of the house that no linter knows: short files, short functions, no escape hatches."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

FILE_LINES = 500
FUNCTION_LINES = 40
FORBIDDEN_NAMES = {
    "utils",
    "helpers",
    "common",
    "manager",
    "service",
    "handler",
    "base",
    "data",
    "info",
}
SERVICE = ("directory/", "search/")


def main() -> int:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    broken = [words for path in listed.stdout.split() for words in breaches(Path(path))]
    for words in broken:
        sys.stdout.write(f"{words}\n")
    return 1 if broken else 0


def breaches(path: Path) -> Iterator[str]:
    text = path.read_text()
    lines = text.splitlines()
    if len(lines) > FILE_LINES:
        yield f"{path}: {len(lines)} lines, {FILE_LINES} at most: split it by noun"
    if path.stem in FORBIDDEN_NAMES:
        yield f"{path}: a name that says nothing"
    for number, line in enumerate(lines, 1):
        if "# type: " + "ignore" in line:
            yield f"{path}:{number}: a type that is ignored"
        if (
            "# no" + "qa" in line
            and " - " not in line.partition("# no" + "qa")[2]
            and "--" not in line
        ):
            yield f"{path}:{number}: a lint exception without its reason"
    if str(path).startswith(SERVICE):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > FUNCTION_LINES:
                    yield f"{path}:{node.lineno}: {node.name} has {length} lines"


if __name__ == "__main__":
    sys.exit(main())

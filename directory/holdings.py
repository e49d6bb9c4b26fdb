"""How a domain tells what it holds about a person: for the copy they ask for, and the erasure.

Each domain has a module `holdings` with its SECTIONS and an `erase`; `privacy` calls them. A test
walks every table of the database: a column that is in no section must be on its list, with why.
"""

from collections.abc import Mapping

import msgspec


class Person(msgspec.Struct, frozen=True):
    """Either number may be missing: staff have no profile, an imported member no account."""

    account_id: int | None
    member_id: int | None


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of one table that concern a person.

    `name` stands in the JSON and stays; `title` is a marked text. `where` is SQL about the row `t`
    and the person `p` (p.account_id, p.member_id, either may be null); a column that it compares
    with them is known to be the person's own number. `extra` are SQL expressions with the name
    that they get, and `covers` the columns of the table that they say in words.
    """

    name: str
    title: str
    table: str
    columns: tuple[str, ...]
    where: str
    extra: Mapping[str, str] = {}
    covers: tuple[str, ...] = ()
    order: str = ""

    @property
    def sql(self) -> str:
        """$1 is the number of the account, $2 that of the member."""
        shown = ", ".join(
            [f"t.{name}" for name in self.columns]
            + [f"{expression} AS {name}" for name, expression in self.extra.items()]
        )
        order = f" ORDER BY {self.order}" if self.order else ""
        return (
            f"SELECT {shown} FROM (SELECT $1::bigint AS account_id, $2::bigint AS member_id) AS p"  # noqa: S608 - own names
            f" JOIN {self.table} AS t ON {self.where}{order}"
        )

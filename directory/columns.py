"""Columns that Piccolo does not have."""

from piccolo.columns import Text


class Enumerated(Text):
    """A column of a Postgres enum, or of another type that reads and writes as text."""

    def __init__(self, type_name: str, *, null: bool = False, primary_key: bool = False) -> None:
        self.type_name = type_name
        super().__init__(default=None, null=null, primary_key=primary_key)
        self._meta.params["type_name"] = type_name

    @property
    def column_type(self) -> str:
        return self.type_name

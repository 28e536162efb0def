"""The ``filter=`` expression of the file listing: ``key eq 'value'``, joined by ``and``.

That much of OData is documented (platform API reference, section 5.5). A filter becomes a condition in SQL over the
JSON text in ``files.meta``; a list in the metadata matches where any of its items does.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")|(?P<word>[A-Za-z_][\w.\-/]*)|(?P<bad>\S))", re.ASCII
)
# json_each walks a list and takes a single value as a list of one; SQLite has 1 and 0 where JSON has true and false.
_MATCH = (
    "EXISTS (SELECT 1 FROM json_each(files.meta, ?) WHERE "
    "CASE type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE CAST(atom AS TEXT) END = ?)"
)


class FilterError(ValueError):
    """The expression is not of a form the sandbox knows.

    Attributes:
        position: Index of the first character that does not fit.
    """

    def __init__(self, expected: str, position: int) -> None:
        """Say what was expected, and where."""
        self.position = position
        super().__init__(f"The filter cannot be read at position {position}: expected {expected}.")


def compile_filter(expression: str) -> tuple[str, list[str]]:
    """Translate an expression.

    Returns:
        A condition in SQL and its values.

    Raises:
        FilterError: With the position of what does not fit.
    """
    tokens = [
        (match.lastgroup, match[match.lastgroup or 0], match.start(match.lastgroup or 0))
        for match in _TOKEN.finditer(expression.rstrip())
    ]
    tokens.append(("end", "", len(expression.rstrip())))
    conditions: list[str] = []
    values: list[str] = []
    expected = [("word", "", "a metadata key"), ("word", "eq", "'eq'"), ("text", "", "a text in quotes")]
    for index, (group, text, position) in enumerate(tokens):
        if index % 4 == 3:
            if group == "end":
                return " AND ".join(conditions), values
            if group != "word" or text.lower() != "and":
                raise FilterError("'and' or the end", position)
            continue
        wanted_group, wanted_text, description = expected[index % 4]
        if group != wanted_group or wanted_text not in ("", text.lower()):
            raise FilterError(description, position)
        if index % 4 == 0:
            values.append(f'$."{text}"')
        elif index % 4 == 2:
            quote = text[0]
            values.append(text[1:-1].replace(quote * 2, quote))
            conditions.append(_MATCH)
    raise AssertionError("the last token is always the end")

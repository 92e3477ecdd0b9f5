"""Rows of a CSV or JSON text, one after the other, each with its line; what a row has to be is said elsewhere."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

Row = dict[str, Any]
_FORMULA = re.compile(r"'*[=+\-@]")
"""What a spreadsheet takes for a formula: written with an apostrophe more, and read with one less."""
_SPACE = re.compile(r"\s*")


class BadLine(Exception):
    """Report a line of input that can't be used; the message says which and why."""


def csv_rows(
    lines: Iterable[str], columns: Sequence[str], needed: str, of_cells: Callable[[Mapping[str, str]], Row]
) -> Iterator[tuple[int, Row | str]]:
    """Give each row with its line; a text says what is wrong with one.

    ``of_cells`` makes a row of the cells that are not empty. Raises BadLine where the whole can't be read.
    """
    reader = csv.reader(lines, strict=True)
    try:
        heads = [head.strip().lower() for head in next(reader, [])]
        unknown = [head for head in heads if head not in columns]
        if unknown or needed not in heads or len({*heads}) < len(heads):
            wrong = f"there is no column {unknown[0]!r}" if unknown else f"a column “{needed}” is needed, each once"
            raise BadLine(f"line 1: {wrong}. The columns are: {', '.join(columns)}, with commas between them.")
        line = reader.line_num + 1
        for row in reader:
            if any(cell.strip() for cell in row):
                more = len(row) > len(heads)
                yield line, "more cells than columns" if more else of_cells(_filled(zip(heads, row, strict=False)))
            line = reader.line_num + 1
    except csv.Error as error:
        raise BadLine(f"line {reader.line_num}: {error}.") from error


def _filled(cells: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, cell in cells:
        cell = cell.strip()
        if cell[:1] == "'" and _FORMULA.match(cell):
            cell = cell[1:]
        if cell:
            found[name] = cell
    return found


def parts_of(cell: str) -> list[str]:
    """Return the parts of a cell that holds a list, with semicolons between them."""
    return [part.strip() for part in cell.split(";") if part.strip()]


def cell_of(value: object) -> str:
    """Write a value as a cell, so that no spreadsheet takes it for a formula."""
    match value:
        case None:
            cell = ""
        case bool():
            cell = "true" if value else "false"
        case list() | tuple():
            cell = ";".join(" ".join(str(part).replace(";", " ").split()) for part in value)
        case _:
            cell = str(value)
    return f"'{cell}" if _FORMULA.match(cell) else cell


def csv_line(cells: Sequence[str]) -> str:
    """Write cells as one line of a table."""
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\n").writerow(cells)
    return written.getvalue()


def json_rows(text: str, what: str, example: str, many: str = "") -> Iterator[tuple[int, Row | str]]:
    """Give each object of a list with its line; only one of them is in memory beside the text.

    ``what`` and ``example`` say what the list holds, and where one is to be seen. Raises BadLine where the whole can't
    be read.
    """
    decoder = json.JSONDecoder()
    at, line, counted = _SPACE.match(text).end(), 1, 0  # type: ignore[union-attr]  # it matches everywhere

    def wrong(problem: str) -> BadLine:
        return BadLine(f"line {text.count(chr(10), 0, at) + 1}: {problem}.")

    def step(sign: str = "") -> None:
        nonlocal at
        at = _SPACE.match(text, at + len(sign)).end()  # type: ignore[union-attr]

    if text[at : at + 1] != "[":
        raise wrong(f"a list of {many or what + 's'} is needed, as in {example}")
    step("[")
    while text[at : at + 1] != "]":
        line, counted = line + text.count("\n", counted, at), at
        try:
            found, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            raise BadLine(f"line {error.lineno}: {error.msg}.") from error
        except RecursionError as error:
            raise wrong("too much in one another") from error
        yield line, found if isinstance(found, dict) else f"not {'an' if what[0] in 'aeiou' else 'a'} {what}"
        step()
        if text[at : at + 1] == ",":
            step(",")
        elif text[at : at + 1] != "]":
            raise wrong("a comma or the end of the list is missing")
    step("]")
    if at < len(text):
        raise wrong("there is more after the end of the list")

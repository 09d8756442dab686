"""In which line of a file something stands; asked only where something is to be said about that line."""

import csv
import io
from contextlib import suppress
from pathlib import Path

from awe.core.tables.formats._files import open_file

__all__ = ["line_of_row", "undecodable_line"]


def line_of_row(path: Path, delimiter: str, header_line: int, row: int) -> int:
    """Return the number of the line in which a row begins.

    Parameters
    ----------
    header_line
        The number of the header's line.
    row
        Counted from zero; blank lines are no rows, and a cell in quotation marks may have lines of its own.
    """
    with open_file(path) as content, io.TextIOWrapper(content, "utf-8", "replace", newline="") as lines:
        for _ in range(header_line):
            lines.readline()
        rows = csv.reader(lines, delimiter=delimiter)
        begin = header_line
        with suppress(csv.Error):  # a cell longer than this reader allows: the line before it has to do
            for cells in rows:
                if cells and row == 0:
                    break
                row -= bool(cells)
                begin = header_line + rows.line_num
        return begin + 1


def undecodable_line(path: Path) -> int:
    """Return the number of the first line that is not UTF-8; that behind the last one where all are."""
    number = 1
    with open_file(path) as content:
        for line in content:
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                break
            number += 1
    return number

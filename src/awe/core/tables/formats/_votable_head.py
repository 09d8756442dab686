"""Which table of a VOTable document is read, and what its FIELDs say."""

from collections.abc import Callable

from lxml import etree

from awe.core.tables._schema import Schema
from awe.core.tables.formats._votable_fields import Cell, cell_of
from awe.errors import InputFileError

__all__ = ["Choice", "line_of", "read_fields"]


class Choice:
    """Which of the tables is read, of which one after another is seen.

    Parameters
    ----------
    wanted
        Number, name or ID of a table; None where the document should have one only.
    error
        Makes an error of a reason, an element and a hint.
    """

    def __init__(
        self, wanted: str | None, error: Callable[[str, etree._Element | None, str | None], InputFileError]
    ) -> None:
        self._wanted = wanted
        self._error = error
        self._tables: list[str] = []
        self._found = False

    def takes(self, table: etree._Element) -> bool:
        """Tell whether a table is the one to read.

        Raises
        ------
        InputFileError
            If another one was as well.
        """
        names = [str(len(self._tables) + 1), table.get("name") or "", table.get("ID") or ""]
        self._tables.append(names[1] or names[2])
        if not self._is_wanted(table, names):
            return False
        if self._found:
            several = (
                "there are several tables in it" if self._wanted is None else f"two tables {self._wanted}"
            )
            raise self._error(several, table, f"name one, as in file.vot[2]; {self._known()}")
        self._found = True
        return True

    def check(self) -> None:
        """Raise `InputFileError` if there was none, at the end of the document."""
        if not self._found:
            missing = "there is no TABLE in it" if self._wanted is None else f"no table {self._wanted} in it"
            raise self._error(missing, None, self._known() if self._tables else None)

    def _is_wanted(self, table: etree._Element, names: list[str]) -> bool:
        if self._wanted is not None:
            return self._wanted in names
        around = table.getparent()
        if around is not None and around.get("type") == "meta":  # about the data, and no data
            return False
        return not self._found or table.find("{*}FIELD") is not None

    def _known(self) -> str:
        listed = (f"{n} ({name})" if name else str(n) for n, name in enumerate(self._tables, 1))
        return f"its tables: {', '.join(listed)}"


def read_fields(table: etree._Element, file: str, lines: int) -> tuple[Schema, list[Cell]]:
    """Return the columns of a table, and how their values are written; none where it has no FIELD.

    Parameters
    ----------
    file
        Its name, for errors.
    lines
        Lines of the document before it that the parser has not got.
    """
    cells = [_cell(field, file, lines) for field in table.iterchildren("{*}FIELD")]
    columns = tuple(cell.column for cell in cells)
    return Schema(columns, table.get("name", ""), _child_text(table, "DESCRIPTION")), cells


def _cell(field: etree._Element, file: str, lines: int) -> Cell:
    values = next(field.iterchildren("{*}VALUES"), None)
    if values is not None and values.get("ref"):  # those of another FIELD (VOTable 1.5 section 4.2)
        said = field.getroottree().getroot().iterfind(".//{*}VALUES")
        values = next((other for other in said if other.get("ID") == values.get("ref")), None)
    null = None if values is None else values.get("null")
    attributes = {str(name): str(value) for name, value in field.attrib.items()}
    return cell_of(attributes, _child_text(field, "DESCRIPTION"), null, file, line_of(field) + lines)


def line_of(element: etree._Element) -> int:
    """Return the line that the parser counted; zero where it has not."""
    line = element.sourceline
    return line if isinstance(line, int) else 0


def _child_text(element: etree._Element, tag: str) -> str:
    child = next(element.iterchildren(f"{{*}}{tag}"), None)
    return "" if child is None else " ".join("".join(map(str, child.itertext())).split())

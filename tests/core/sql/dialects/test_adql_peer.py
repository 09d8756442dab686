"""Another parser reads the same texts: the CDS's ADQL library 1.5, which STILTS brings, for ADQL 2.0.

Both agree on what is a query, but for what ADQL 2.1 added or changed and what each of them knowingly does
otherwise: these are listed, with the reason.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pyspark
import pytest
from py4j.java_gateway import JavaGateway
from py4j.protocol import Py4JError, Py4JNetworkError

from awe.core.sql.dialects.adql import parse_adql
from awe.errors import QueryError

_CASE = re.compile(r"^--\? (.*)\n((?:.*\n)*?)--([>!]) (.*)\n", re.MULTILINE)
_FOLDERS = (Path(__file__).parent / "fixtures", Path(__file__).parent.parent / "fixtures" / "pairs")
LIBRARY = Path("/usr/share/java/adql.jar")
_NEW_IN_2_1 = re.compile(
    r"\b(?:WITH|UNION|EXCEPT|INTERSECT|OFFSET|ILIKE|CAST|COALESCE|IN_UNIT|LOWER|UPPER)\b|^\("
    r"|\b(?:POINT|CIRCLE|BOX|POLYGON)\((?!')|\bCOORD[12]\(ivo|\bDISTANCE\([\w.]+,|(?<!IS )(?<!NOT )\bNULL\b"
    r"|BY [^)]*\b(?:FLOOR|ABS)\(|\bCASE\b|0x",  # the last two are extensions of ours
    re.IGNORECASE,
)

LENIENT = {
    "nulls", "null of an expression", "table functions, an extension", "a table function of the archive",
    "a table function that is not there", "the arguments of a table function are counted",
    "concatenation binds looser than sums, sums looser than products",
}  # fmt: skip
"""What this project lets through because people write it: NULL tests of any value, table functions, numbers in ``||``."""

STRICT = {
    "two queries", "two statements", "two semicolons",
    "aggregate in WHERE", "aggregate in ON", "aggregate in an aggregate", "an aggregate in WHERE", "an aggregate in ON",
    "an aggregate of an aggregate", "cross join", "REGION of a column", "empty name", "another frame",
    "another coordinate system", "a region that is a column",
}  # fmt: skip
"""What the library lets through, and the standard's grammar, its text or this archive (frames) does not."""


def fixtures() -> list[tuple[str, str]]:
    return [
        (title, text.strip())
        for folder in _FOLDERS
        for path in sorted(folder.glob("*adql*"))
        for title, text, _, _ in _CASE.findall(path.read_text(encoding="utf-8"))
        if not _NEW_IN_2_1.search(text)
    ]


def ours(text: str) -> bool:
    try:
        parse_adql(text)
    except QueryError:
        return False
    return True


@pytest.fixture
def theirs(stilts: str) -> Iterator[Callable[[str], bool]]:
    """Return what tells whether the library reads a text, in one Java for all."""
    assert LIBRARY.exists()
    (bridge,) = Path(pyspark.__file__).parent.glob("jars/py4j-*.jar")
    java = JavaGateway.launch_gateway(jarpath=str(bridge), classpath=str(LIBRARY), die_on_exit=True)
    parser = java.jvm.adql.parser.ADQLParser()

    def reads(text: str) -> bool:
        try:
            parser.parseQuery(text.rstrip(";") + ";")
        except Py4JNetworkError:
            raise
        except Py4JError:  # where a test before has begun a session of Spark, that one asks for the text of the error in vain
            return False
        return True

    yield reads
    java.shutdown()


@pytest.mark.slow
def test_both_parsers_agree(theirs: Callable[[str], bool]) -> None:
    known = fixtures()
    assert len(known) > 150
    pairs = [(one, theirs(one[1])) for one in known]
    assert {title for (title, text), good in pairs if ours(text) and not good} == LENIENT
    assert {title for (title, text), good in pairs if good and not ours(text)} == STRICT
    assert sum(good for _, good in pairs) > 50

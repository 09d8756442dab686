"""One SQL compiler: ADQL 2.1, CasJobs' T-SQL and Data Lab's PostgreSQL in, an engine's SQL out.

`compile_query` parses a text (``dialects``), lets only known parts through (``gate``), resolves every
name and type against what the caller may read (`Names`), turns spatial predicates into regions and
sky joins (``rules``), and gives a `Query`, which an engine has written in its own SQL (``lower``). The
functions that exist are those of ``functions``: nothing passes through. This package opens nothing:
no file, no database. sqlglot is used here and nowhere else.
"""

from awe.core.sql._counts import Count
from awe.core.sql._look_up import Around, Comparison, Inside, LookUp, Nearest
from awe.core.sql._model import (
    ColumnNote,
    Names,
    Parameter,
    ScalarFunction,
    TableDef,
    TableFunction,
    Variable,
)
from awe.core.sql._query import ParsedQuery, Query, compile_query, look_up_query, look_ups_query
from awe.core.sql.dialects import DIALECTS
from awe.core.sql.functions import FUNCTIONS, Function
from awe.core.sql.rules._state import (
    DEC,
    INDEX,
    RA,
    RADIUS,
    ROW,
    SEPARATION,
    Resolve,
    Side,
    SkyMatch,
    TableUse,
)
from awe.core.sql.vectorised import REACH_LEVELS, SCATTERED, VECTORISED, Vectorised

__all__ = [
    "DEC",
    "DIALECTS",
    "FUNCTIONS",
    "INDEX",
    "RA",
    "RADIUS",
    "REACH_LEVELS",
    "ROW",
    "SCATTERED",
    "SEPARATION",
    "VECTORISED",
    "Around",
    "ColumnNote",
    "Comparison",
    "Count",
    "Function",
    "Inside",
    "LookUp",
    "Names",
    "Nearest",
    "Parameter",
    "ParsedQuery",
    "Query",
    "Resolve",
    "ScalarFunction",
    "Side",
    "SkyMatch",
    "TableDef",
    "TableFunction",
    "TableUse",
    "Variable",
    "Vectorised",
    "compile_query",
    "look_up_query",
    "look_ups_query",
]

"""What a row of the function table is; the words are those of ``awe.core.sql.functions``."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["AGGREGATE", "DERIVED", "GEOMETRY", "SCALAR", "WINDOW", "Function", "row"]

SCALAR, AGGREGATE, WINDOW, GEOMETRY, DERIVED = "scalar", "aggregate", "window", "geometry", "derived"


@dataclass(frozen=True, slots=True)
class Function:
    """One function.

    Attributes
    ----------
    name
        The canonical name, unique in the table; not necessarily what any dialect calls it.
    parameters
        Kinds of the arguments, in order.
    required
        How many of them must be given.
    variadic
        The last kind may repeat.
    result, unit, doc
        As the module describes them.
    names
        Dialect to its spellings; a dialect that is absent does not have the function.
    lowering
        Target to templates: the first for `required` arguments, the next for one more, and so on; the
        last serves all further ones.
    kind
        `SCALAR`, `AGGREGATE`, `WINDOW` (only with OVER), `GEOMETRY` (rewritten by ``rules.spatial``) or
        `DERIVED` (rewritten by ``rules.derived``).
    ucd
        Of its values, where the function says it.
    signature
        Of ADQL's user-defined functions, what the service declares behind the name: ``(a INTEGER) ->
        BIGINT``. Empty: a function of the language itself.
    """

    name: str
    parameters: tuple[str, ...]
    result: str
    doc: str
    names: Mapping[str, tuple[str, ...]]
    required: int
    lowering: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    variadic: bool = False
    unit: str = ""
    kind: str = SCALAR
    signature: str = ""
    ucd: str = ""

    def accepts(self, count: int) -> bool:
        """Say whether the function can be called with that many arguments."""
        return self.required <= count and (self.variadic or count <= len(self.parameters))

    def parameter(self, index: int) -> str:
        """Return the kind of the argument at `index`."""
        return self.parameters[min(index, len(self.parameters) - 1)]

    def template(self, target: str, count: int) -> str:
        """Return the template of `target` for `count` arguments."""
        templates = self.lowering[target]
        return templates[min(count - self.required, len(templates) - 1)]


_ALL = ("adql", "tsql", "postgres")


def row(
    name: str,
    parameters: str,
    result: str,
    duckdb: str | tuple[str, ...],
    doc: str,
    *,
    only: str | None = None,
    kind: str = SCALAR,
    unit: str = "",
    signature: str = "",
    ucd: str = "",
    **spellings: str,
) -> Function:
    """Make a row: ``[`` opens the optional parameters, ``...`` lets the last one repeat.

    Without `spellings` every dialect (or those in `only`) uses `name` itself.
    """
    needed, _, optional = parameters.partition("[")
    variadic = "..." in parameters
    kinds = tuple((needed + " " + optional).replace("...", "").replace("]", "").split())
    dialects = only.split() if only is not None else () if spellings else _ALL
    names = dict.fromkeys(dialects, (name,)) | {d: tuple(s.split()) for d, s in spellings.items()}
    templates = (duckdb,) if isinstance(duckdb, str) else duckdb
    required = len(needed.replace("...", "").split())
    return Function(
        name,
        kinds,
        result,
        doc,
        names,
        required,
        {"duckdb": templates} if duckdb else {},
        variadic,
        unit,
        kind,
        signature,
        ucd,
    )

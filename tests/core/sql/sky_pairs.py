"""Run a compiled query on a DuckDB that holds its tables, sky joins included."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from awe.core.sql import Query, Side, SkyMatch
from awe.services.catalogs.backends._pair_blocks import Chosen, Piece, SideRows
from awe.services.catalogs.backends._pairs import PairStream


def lowered(query: Query, engine: Any, relations: Mapping[str, str]) -> str:
    """Return the SQL of a query; the engine then knows the pairs of its sky joins."""
    known = dict(relations)
    streams: dict[str, PairStream] = {}

    def rows(side: Side) -> SideRows:
        sql = query.lower("duckdb", known, side)
        cursor = engine.cursor()
        for name, stream in streams.items():
            cursor.register(name, stream)
        schema = cursor.sql(sql).limit(0).to_arrow_table().schema
        return SideRows(schema, [Piece(lambda _: [cursor.sql(sql).to_arrow_table()])])

    def chosen(match: SkyMatch) -> Chosen | None:
        if match.asked is None:
            return None
        sql = query.lower("duckdb", {**known, match.key: '"candidates"'}, match.asked)

        def let_through(pairs: pa.Table) -> Any:
            cursor = engine.cursor()
            cursor.register("candidates", pairs)
            return cursor.sql(sql).to_arrow_table().column(0).to_numpy()

        return let_through

    for match in query.matches:
        name = f"pairs_{match.key}"
        streams[name] = PairStream(match, rows(match.held), rows(match.other), 1, lambda: None, chosen(match))
        engine.register(name, streams[name])
        known[match.key] = f'"{name}"'
    return query.lower("duckdb", known)


def shown(query: Query, relations: Mapping[str, str]) -> str:
    """Return the SQL of a query as people read it: the sides of its sky joins in comments before it."""
    known = {**relations, **{match.key: match.key for match in query.matches}}
    said = ""
    for match in query.matches:
        how = "".join(
            f" {word}" for word, is_ in (
                ("full", match.full), ("outer", match.outer and not match.full), ("strict", match.strict),
                (f"nearest {match.nearest}", match.nearest is not None),
                ("some", match.exists is True), ("none", match.exists is False),
            ) if is_
        )  # fmt: skip
        radius = "each its own" if match.radius_deg is None else f"{match.radius_deg!r} deg"
        sides = [match.held, match.other, *([match.asked] if match.asked else [])]
        written = " | ".join(query.lower("duckdb", known, side) for side in sides)
        said += f"/* {match.key}: {radius}{how}: {written} */ "
    return said + query.lower("duckdb", known)

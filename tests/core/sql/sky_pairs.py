"""Run a compiled query on a DuckDB that holds its tables, sky joins included."""

from collections.abc import Mapping
from typing import Any

from awe.core.sql import Query, Side
from awe.services.catalogs.backends._pairs import PairStream, Piece, SideRows


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

    for match in query.matches:
        name = f"pairs_{match.key}"
        streams[name] = PairStream(match, rows(match.held), rows(match.other), 1, lambda: None)
        engine.register(name, streams[name])
        known[match.key] = f'"{name}"'
    return query.lower("duckdb", known)


def shown(query: Query, relations: Mapping[str, str]) -> str:
    """Return the SQL of a query as people read it: the sides of its sky joins in comments before it."""
    known = {**relations, **{match.key: match.key for match in query.matches}}
    said = ""
    for match in query.matches:
        how = " outer" * match.outer + (f" nearest {match.nearest}" if match.nearest is not None else "")
        sides = (query.lower("duckdb", known, side) for side in (match.held, match.other))
        said += f"/* {match.key}: {match.radius_deg!r} deg{how}{' strict' * match.strict}: {' | '.join(sides)} */ "
    return said + query.lower("duckdb", known)

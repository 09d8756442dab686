"""Every production of ADQL 2.1's grammar (appendix A) is met by a query of the fixtures that is accepted.

`PRODUCTIONS` gives each production a pattern that a query using it matches. The productions that only name
the character of a sign are covered with the sign; a few name what ADQL has no use for.
"""

import re
from pathlib import Path

import pytest

from awe.core.sql.dialects.adql import RESERVED_WORDS, parse_adql
from awe.errors import QuerySyntaxError

_CASE = re.compile(r"^--\? (.*)\n((?:.*\n)*?)--([>!]) (.*)\n", re.MULTILINE)
_FOLDERS = (Path(__file__).parent / "fixtures", Path(__file__).parent.parent / "fixtures" / "pairs")
ACCEPTED = [
    text
    for folder in _FOLDERS
    for path in sorted(folder.glob("*adql*"))
    for _, text, sign, _ in _CASE.findall(path.read_text(encoding="utf-8"))
    if sign == ">"
]

_NAME = r'(?:[a-z]\w*|"[^"]+")'

PRODUCTIONS = {
    # lexical elements
    "ADQL_language_character": r"[a-z0-9 ]",
    "ADQL_reserved_word": r"\bTOP\b",
    "SQL_reserved_word": r"\bSELECT\b",
    "SQL_special_character": r"[(,*]",
    "keyword": r"\bFROM\b",
    "token": r"\S",
    "delimiter_token": r"'[^']*'|<>",
    "nondelimiter_token": r"\w+",
    "comment": r"--[^\n]*\n",
    "comment_introducer": r"---[^\n]*\n",
    "comment_character": r"-- ?\w",
    "newline": r"\n",
    "space": r" ",
    "digit": r"\d",
    "simple_Latin_letter": r"[a-z]",
    "simple_Latin_lower_case_letter": r"(?-i:[a-z])",
    "simple_Latin_upper_case_letter": r"(?-i:[A-Z])",
    "regular_identifier": r"\b[a-z]+[0-9_]+\w*",
    "delimited_identifier": r'"[^"]+"',
    "delimited_identifier_body": r'"[^"]+"',
    "delimited_identifier_part": r'"[^"]+"',
    "double_quote_symbol": r'""',
    "nondoublequote_character": r'"[^"]',
    "character_representation": r"'[^']",
    "character_string_literal": r"'[^']*'",
    "nonquote_character": r"'[^']",
    "quote_symbol": r"''\w",
    "quote": r"'",
    "double_quote": r'"',
    "unsigned_decimal": r"\b\d+\b",
    "unsigned_literal": r"\b\d+\b",
    "unsigned_numeric_literal": r"\b\d+\b",
    "exact_numeric_literal": r"\b\d+\.|\.\d+|\b1\.5\b",
    "approximate_numeric_literal": r"\d[eE]\d",
    "mantissa": r"1\.5E-3",
    "exponent": r"E-3",
    "signed_integer": r"ROUND\(\w+, -\d",
    "general_literal": r"'[^']*'",
    "unsigned_value_specification": r"'[^']*'|\d",
    # signs
    "asterisk": r"\*",
    "colon": r"'[^']*:[^']*'",
    "comma": r",",
    "concatenation_operator": r"\|\|",
    "double_period": None,
    "equals_operator": r"=",
    "greater_than_operator": r">",
    "greater_than_or_equals_operator": r">=",
    "left_bracket": None,
    "left_paren": r"\(",
    "less_than_operator": r"<",
    "less_than_or_equals_operator": r"<=",
    "minus_sign": r"-",
    "not_equals_operator": r"<>|!=",
    "not_equals_operator1": r"<>",
    "not_equals_operator2": r"!=",
    "percent": r"%",
    "period": r"\.",
    "plus_sign": r"\+",
    "question_mark": None,
    "right_bracket": None,
    "right_paren": r"\)",
    "semicolon": r";\s*\Z",
    "solidus": r"/",
    "underscore": r"_",
    "vertical_bar": r"\|",
    "ampersand": None,
    "circumflex": None,
    "tilde": None,
    "SQL_embedded_language_character": None,
    # names
    "identifier": _NAME,
    "catalog_name": rf"FROM {_NAME}\.{_NAME}\.{_NAME}",
    "schema_name": rf"FROM {_NAME}\.{_NAME}",
    "unqualified_schema name": rf"FROM {_NAME}\.{_NAME}",
    "table_name": rf"FROM {_NAME}",
    "column_name": rf"SELECT {_NAME}",
    "column_name_list": rf"USING \({_NAME}, {_NAME}\)",
    "column_reference": rf"SELECT {_NAME}\.{_NAME}",
    "qualifier": rf"{_NAME}\.\*",
    "correlation_name": rf"FROM \S+ AS {_NAME}",
    "correlation_specification": rf"FROM \S+ {_NAME}(?:,| INNER)",
    "query_name": rf"WITH {_NAME} AS",
    # queries
    "query_specification": r"^\s*WITH",
    "with_clause": r"WITH \w+ AS \(.*\), \w+ AS \(",
    "with_query": r"WITH \w+ AS \(",
    "query_expression": r"FROM \(SELECT",
    "select_expression": r"ORDER BY .* OFFSET",
    "query_set_expression": r"UNION ALL.*|EXCEPT ALL",
    "query_set_term": r"INTERSECT ALL",
    "query_set_primary": r"^\(SELECT",
    "select_query": r"SELECT DISTINCT TOP",
    "set_quantifier": r"SELECT ALL",
    "set_limit": r"TOP \d",
    "select_list": r"SELECT \*",
    "select_sublist": rf"SELECT {_NAME}\.\*",
    "derived_column": r"SELECT \w+ \+ \w+",
    "as_clause": rf"SELECT {_NAME} AS {_NAME}, {_NAME} {_NAME},",
    "from_clause": rf"FROM {_NAME}\S* AS {_NAME}, ",
    "where_clause": r"\bWHERE\b",
    "group_by_clause": r"GROUP BY",
    "group_by_term": r"GROUP BY FLOOR",
    "group_by_term_list": r"GROUP BY \w+, \w+",
    "having_clause": r"HAVING",
    "order_by_clause": r"ORDER BY",
    "order_by_term": r"ORDER BY 1 ASC",
    "order_by_term_list": r"ORDER BY [^,]+, ",
    "order_by_expression": r"ORDER BY.* ABS\(",
    "order_by_direction": r"\bDESC\b",
    "offset_clause": r"OFFSET \d",
    "subquery": r"\(SELECT",
    "table_subquery": r"IN \(SELECT",
    # tables
    "table_reference": r"FROM \w",
    "derived_table": r"FROM \(SELECT",
    "joined_table": r"JOIN \(",
    "qualified_join": r"NATURAL JOIN",
    "join_type": r"INNER JOIN",
    "outer_join_type": r"FULL OUTER JOIN",
    "join_specification": r" ON ",
    "join_condition": r" ON ",
    "named_columns_join": r"USING \(",
    "join_column_list": r"USING \(",
    # conditions
    "search_condition": r" OR ",
    "boolean_term": r" AND ",
    "boolean_factor": r"NOT ",
    "boolean_primary": r"NOT \(",
    "predicate": r"WHERE",
    "comparison_predicate": r"\w = \d",
    "comp_op": r"<=",
    "between_predicate": r"NOT BETWEEN",
    "in_predicate": r"NOT IN",
    "in_predicate_value": r"IN \(",
    "in_value_list": r"IN \(\d, \d, \d\)",
    "like_predicate": r"NOT ILIKE",
    "match_value": r"LIKE",
    "pattern": r"LIKE '",
    "null_predicate": r"IS NOT NULL",
    "exists_predicate": r"EXISTS \(",
    # values
    "value_expression": r"SELECT NULL",
    "value_expression_primary": r"\(\+?\w+\)",
    "numeric_value_expression": r"\d \+ \d",
    "term": r"\d \* \d",
    "factor": r"-\w",
    "sign": r"\+\w+\)",
    "numeric_primary": r"\d",
    "numeric_value_function": r"SQRT\(",
    "character_value_expression": r"\|\|",
    "character_factor": r"\|\| '",
    "character_primary": r"\|\| '",
    "concatenation": r"\|\|",
    "string_value_expression": r"LOWER\(",
    "string_value_function": r"UPPER\(",
    "case_folding_function": r"LOWER\(",
    "set_function_specification": r"COUNT\(\*\)",
    "general_set_function": r"COUNT\(DISTINCT",
    "set_function_type": r"\bAVG\(",
    "coalesce_expression": r"COALESCE\(",
    "cast_specification": r"CAST\(",
    "cast_target": r"AS BIGINT\)",
    "character_string_type": r"AS VARCHAR\(\d",
    "numeric_type": r"AS SMALLINT\)",
    "exact_numeric_type": r"AS INTEGER\)",
    "approximate numeric type": r"AS DOUBLE PRECISION\)",
    "datetime_type": r"AS TIMESTAMP\)",
    "geometry_type": r"AS (?:POINT|CIRCLE|POLYGON)\)",
    "math_function": r"TRUNCATE\(\w+, -1\)",
    "trig_function": r"ATAN2\(",
    "in_unit_function": r"IN_UNIT\(\w+, '",
    "user_defined_function": r"ivo_hasword\(",
    "user_defined_function_name": r"ivo_\w+\(",
    "user_defined_function_param": r"ivo_\w+\(\w+",
    "default_function_prefix": r"gavo_\w+\(",
    # geometry
    "geometry_value_expression": r"CONTAINS\(POINT",
    "geometry_value_function": r"POINT\(",
    "numeric_geometry_function": r"AREA\(",
    "non_predicate_geometry_function": r"DISTANCE\(",
    "predicate_geometry_function": r"INTERSECTS\(",
    "string_geometry_function": r"COORDSYS\(",
    "extract_coordsys": r"COORDSYS\(",
    "area": r"AREA\(",
    "box": r"BOX\(",
    "box_center": r"BOX\((?:'ICRS', )?POINT\(",
    "centroid": r"CENTROID\(",
    "circle": r"CIRCLE\(",
    "circle_center": r"CIRCLE\((?:'ICRS', )?POINT\(",
    "radius": r"CIRCLE\([^()]*\)",
    "contains": r"CONTAINS\(",
    "coord1": r"COORD1\(",
    "coord2": r"COORD2\(",
    "coord_sys": r"POINT\('ICRS'",
    "coord_value": r"COORD2\(\w+\)",
    "coordinate1": r"POINT\(\w+, \w+\)",
    "coordinate2": r"POINT\(\w+, \w+\)",
    "coordinates": r"POINT\(\w+, \w+\)",
    "distance_function": r"DISTANCE\(POINT",
    "intersects": r"INTERSECTS\(",
    "point": r"POINT\(",
    "point_value": r"DISTANCE\(POINT",
    "polygon": r"POLYGON\(",
    "polygon_vertices": r"POLYGON\((?:'FK5', )?POINT",
    "region": r"REGION\('",
}
UNUSED = {name for name, pattern in PRODUCTIONS.items() if pattern is None}
"""Signs that only SQL's character set names: ADQL has no use for them, and the lexer refuses them."""


def test_the_list_is_that_of_the_standard() -> None:
    assert len(PRODUCTIONS) == 199


@pytest.mark.parametrize("name", sorted(PRODUCTIONS.keys() - UNUSED))
def test_production_is_covered(name: str) -> None:
    pattern = re.compile(str(PRODUCTIONS[name]), re.IGNORECASE | re.DOTALL)
    assert any(pattern.search(text) for text in ACCEPTED), f"no accepted fixture uses <{name}>"


@pytest.mark.parametrize("sign", ["[", "]", "?", "&", "^", "~", ".."])
def test_signs_without_use_are_refused(sign: str) -> None:
    with pytest.raises(QuerySyntaxError):
        parse_adql(f"SELECT a {sign} 1 FROM t")


@pytest.mark.parametrize("word", sorted(RESERVED_WORDS))
def test_reserved_word_is_no_name_unless_delimited(word: str) -> None:
    for text in (f"SELECT a AS {word} FROM t", f"SELECT a FROM {word}", f"SELECT a FROM t AS {word}"):
        with pytest.raises(QuerySyntaxError) as caught:
            parse_adql(text)
        assert caught.value.fields["line"] == 1
        assert caught.value.fields["column"]
    hint = f'"{word.lower()}"'
    with pytest.raises(QuerySyntaxError, match=hint):
        parse_adql(f"SELECT a AS {word.lower()} FROM t")
    assert parse_adql(f'SELECT "{word}" AS "{word.lower()}" FROM "{word}"."{word}" AS "{word}"')

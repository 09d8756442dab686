"""The words and signs of ADQL 2.1 as tables: reserved words, types, and what people write instead.

Sources: ADQL 2.1 sections 2.1.3 and 2.1.4 (reserved words), 4.2.5 (coordinate systems) and 4.7.1 (CAST).
"""

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["FRAMES_MEANING_ICRS", "RESERVED_WORDS", "SIGN_HINTS", "TYPE_HINTS", "WORD_HINTS"]

_SQL_WORDS = """
    ABSOLUTE ACTION ADD ALL ALLOCATE ALTER AND ANY ARE AS ASC ASSERTION AT AUTHORIZATION AVG
    BEGIN BETWEEN BIT BIT_LENGTH BOTH BY
    CASCADE CASCADED CASE CAST CATALOG CHAR CHARACTER CHARACTER_LENGTH CHAR_LENGTH CHECK CLOSE COALESCE
    COLLATE COLLATION COLUMN COMMIT CONNECT CONNECTION CONSTRAINT CONSTRAINTS CONTINUE CONVERT
    CORRESPONDING COUNT CREATE CROSS CURRENT CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER CURSOR
    DATE DAY DEALLOCATE DECIMAL DECLARE DEFAULT DEFERRABLE DEFERRED DELETE DESC DESCRIBE DESCRIPTOR
    DIAGNOSTICS DISCONNECT DISTINCT DOMAIN DOUBLE DROP
    ELSE END ESCAPE EXCEPT EXCEPTION EXEC EXECUTE EXISTS EXTERNAL EXTRACT
    FALSE FETCH FIRST FLOAT FOR FOREIGN FOUND FROM FULL
    GET GLOBAL GO GOTO GRANT GROUP HAVING HOUR
    IDENTITY IMMEDIATE IN INDICATOR INITIALLY INNER INPUT INSENSITIVE INSERT INT INTEGER INTERSECT INTERVAL
    INTO IS ISOLATION JOIN KEY LANGUAGE LAST LEADING LEFT LEVEL LIKE LOCAL LOWER
    MATCH MAX MIN MINUTE MODULE MONTH NAMES NATIONAL NATURAL NCHAR NEXT NO NOT NULL NULLIF NUMERIC
    OCTET_LENGTH OF ON ONLY OPEN OPTION OR ORDER OUTER OUTPUT OVERLAPS
    PAD PARTIAL POSITION PRECISION PREPARE PRESERVE PRIMARY PRIOR PRIVILEGES PROCEDURE PUBLIC
    READ REAL REFERENCES RELATIVE RESTRICT REVOKE RIGHT ROLLBACK ROWS
    SCHEMA SCROLL SECOND SECTION SELECT SESSION SESSION_USER SET SIZE SMALLINT SOME SPACE SQL SQLCODE
    SQLERROR SQLSTATE SUBSTRING SUM SYSTEM_USER
    TABLE TEMPORARY THEN TIME TIMESTAMP TIMEZONE_HOUR TIMEZONE_MINUTE TO TRAILING TRANSACTION TRANSLATE
    TRANSLATION TRIM TRUE UNION UNIQUE UNKNOWN UPDATE UPPER USAGE USER USING
    VALUE VALUES VARCHAR VARYING VIEW WHEN WHENEVER WHERE WITH WORK WRITE YEAR ZONE
"""  # END-EXEC is left out: with its hyphen it could not be an identifier anyway

_ADQL_WORDS = """
    ABS ACOS AREA ASIN ATAN ATAN2 BIGINT BOX CEILING CENTROID CIRCLE CONTAINS COORD1 COORD2 COORDSYS COS COT
    DEGREES DISTANCE EXP FLOOR ILIKE INTERSECTS IN_UNIT LOG LOG10 MOD OFFSET PI POINT POLYGON POWER RADIANS
    REGION RAND ROUND SIN SQRT TOP TAN TRUNCATE
"""

RESERVED_WORDS: frozenset[str] = frozenset((_SQL_WORDS + _ADQL_WORDS).split())
"""Upper-case words that are not identifiers unless delimited (``"size"``)."""

FRAMES_MEANING_ICRS: frozenset[str] = frozenset(
    {"", "ICRS", "ICRS GEOCENTER", "ICRS BARYCENTER", "FK5", "FK5 J2000", "J2000", "UNKNOWN", "UNKNOWNFRAME"}
)
"""Coordinate systems that a geometry may name without being refused. FK5 at J2000 is among them, as in
every archive: it is within 0.1 arcsec of ICRS, and the argument is deprecated (ADQL 2.1 section 4.2.5)."""

WORD_HINTS: Mapping[str, str] = MappingProxyType(
    {
        "LIMIT": "ADQL limits the rows at the front: SELECT TOP 10 ...",
        "FETCH": "ADQL limits the rows at the front: SELECT TOP 10 ...",
        "CROSS": "ADQL has no CROSS JOIN: separate the tables with a comma",
        "MINUS": "the ADQL operator is EXCEPT",
        "INTO": "an ADQL query only reads",
        "INSERT": "an ADQL query only reads",
        "UPDATE": "an ADQL query only reads",
        "DELETE": "an ADQL query only reads",
        "CREATE": "an ADQL query only reads",
        "DROP": "an ADQL query only reads",
        "ALTER": "an ADQL query only reads",
        "TRUE": "ADQL has no truth values: compare with 1 = 1, or with the value that the column holds",
        "FALSE": "ADQL has no truth values: compare with 1 = 0, or with the value that the column holds",
        "ANY": "ADQL has no ANY: use IN or EXISTS",
        "SOME": "ADQL has no SOME: use IN or EXISTS",
        "NULLIF": "ADQL has no NULLIF: use CASE WHEN a = b THEN NULL ELSE a END",
        "CONVERT": "use CAST(value AS type)",
        "ESCAPE": "ADQL's LIKE has no ESCAPE",
        "NULLS": "ADQL does not order NULLs",
        "RECURSIVE": "ADQL has no recursive WITH",
        "OVER": "ADQL has no window functions",
        "QUALIFY": "ADQL has no window functions: use a sub-query",
        "LATERAL": "ADQL has no LATERAL",
    }
)
"""What to write instead of a word that ADQL does not know at that place."""

SIGN_HINTS: Mapping[str, str] = MappingProxyType(
    {
        "==": "equality is a single =",
        "=>": "write >=",
        "=<": "write <=",
        "::": "use CAST(value AS type)",
        "%": "use MOD(a, b)",
        "^": "use POWER(x, y); ADQL has no bit operators",
        "**": "use POWER(x, y)",
        "&": "ADQL has no bit operators; AND joins conditions",
        "&&": "AND joins conditions",
        "|": "ADQL has no bit operators; || joins texts",
        "~": "ADQL has no bit operators and no regular expressions; use LIKE",
        "!": "NOT negates a condition, <> compares",
        "[": 'delimit names with double quotes: "name"',
        "]": 'delimit names with double quotes: "name"',
        "`": 'delimit names with double quotes: "name"',
        "‘": "use the straight quote '",
        "’": "use the straight quote '",
        "“": "use the straight quotes ' for text and \" for names",
        "”": "use the straight quotes ' for text and \" for names",
        "−": "use the hyphen - as minus sign",
        "–": "use the hyphen - as minus sign",
        "≤": "write <=",
        "≥": "write >=",
        "≠": "write <>",
        "×": "write *",
        "/*": "comments start with -- and end with the line",
        "@": "ADQL has no variables",
        "$": "ADQL has no variables",
        "?": "ADQL has no parameters: write the value",
        ":": "ADQL has no parameters: write the value",
        "#": "comments start with --",
        ";": "one query at a time",
        "_": 'a name starts with a letter; delimit others with double quotes: "_name"',
    }
)
"""What to write instead of a sign that ADQL does not have."""

TYPE_HINTS: Mapping[str, str] = MappingProxyType(
    {
        "FLOAT": "use REAL or DOUBLE PRECISION",
        "INT": "use INTEGER",
        "DECIMAL": "use DOUBLE PRECISION",
        "NUMERIC": "use DOUBLE PRECISION",
        "TEXT": "use VARCHAR",
        "STRING": "use VARCHAR",
        "CHARACTER": "use CHAR",
        "DATE": "use TIMESTAMP",
        "DATETIME": "use TIMESTAMP",
        "TIME": "use TIMESTAMP",
    }
)
"""The ADQL type that people mean by another one."""

"""OAI-PMH 2.0: what its sections 3 and 4 say of requests, and lists that come in parts."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from awe.core.vo import oai

DAY = datetime(2026, 3, 1, tzinfo=UTC)
LIST = [("verb", "ListIdentifiers"), ("metadataPrefix", "ivo_vor")]


@pytest.mark.parametrize(
    ("pairs", "code"),
    [
        ([], "badVerb"),
        ([("verb", "identify")], "badVerb"),
        ([("verb", "Identify"), ("verb", "Identify")], "badVerb"),
        ([("verb", "Identify"), ("set", "ivo_managed")], "badArgument"),
        ([("verb", "GetRecord"), ("metadataPrefix", "ivo_vor")], "badArgument"),
        ([("verb", "GetRecord"), ("identifier", "ivo://a/b")], "badArgument"),
        ([("verb", "GetRecord"), ("identifier", "ivo://a/b"), ("metadataPrefix", "marc")], "cannotDisseminateFormat"),
        ([("verb", "ListRecords")], "badArgument"),
        ([*LIST, ("metadataPrefix", "ivo_vor")], "badArgument"),
        ([*LIST, ("Until", "2026-01-01")], "badArgument"),
        ([*LIST, ("until", "2026-01-01T00:00Z")], "badArgument"),
        ([*LIST, ("until", "2026-02-30")], "badArgument"),
        ([*LIST, ("from", "2026-01-01"), ("until", "2026-01-02T00:00:00Z")], "badArgument"),
        ([*LIST, ("from", "2026-01-02"), ("until", "2026-01-01")], "badArgument"),
        ([*LIST, ("set", "else")], "noRecordsMatch"),
        ([*LIST, ("resumptionToken", "x")], "badArgument"),
        ([("verb", "ListRecords"), ("resumptionToken", "x")], "badResumptionToken"),
        ([("verb", "ListRecords"), ("resumptionToken", "W10")], "badResumptionToken"),
        ([("verb", "ListSets"), ("resumptionToken", "x")], "badResumptionToken"),
    ],
)  # fmt: skip
def test_a_wrong_request_has_a_word(pairs: list[tuple[str, str]], code: str) -> None:
    with pytest.raises(oai.OaiError) as caught:
        oai.parse(pairs)
    assert caught.value.code == code


def test_both_ends_of_a_time_belong_to_it() -> None:
    window = oai.parse([*LIST, ("from", "2026-03-01"), ("until", "2026-03-01")]).window
    assert window is not None
    assert window.holds(DAY, "x")
    assert window.holds(DAY + timedelta(hours=23, minutes=59, seconds=59), "x")
    assert not window.holds(DAY + timedelta(days=1), "x")
    assert not window.holds(DAY - timedelta(seconds=1), "x")


def listed(headers: list[oai.Header], extra: tuple[tuple[str, str], ...] = ()) -> list[list[str]]:
    """Follow the resumption tokens; return the identifiers of each part."""
    parts: list[list[str]] = []
    pairs = [*LIST, *extra]
    while True:
        body = oai.some(oai.parse(pairs), headers, lambda *_: oai.sets())
        names = [e.findtext("{*}identifier") or "" for e in body.iter("{*}header")]
        parts.append(names)
        token = body.find("{*}resumptionToken")
        if token is None or not token.text:
            assert (token is None) == (len(parts) == 1)
            return parts
        assert token.get("completeListSize") == str(len(headers))
        assert token.get("cursor") == str(sum(map(len, parts[:-1])))
        pairs = [("verb", "ListIdentifiers"), ("resumptionToken", token.text)]


@given(st.lists(st.integers(0, 5), max_size=3 * oai.PAGE + 7, min_size=1))
def test_the_parts_of_a_list_are_the_whole_once(offsets: list[int]) -> None:
    made = [
        oai.Header(f"ivo://a/{i}", DAY + timedelta(seconds=s), deleted=False) for i, s in enumerate(offsets)
    ]
    headers = sorted(made, key=lambda one: (one.changed, one.ivoid))
    parts = listed(headers)
    assert [name for part in parts for name in part] == [one.ivoid for one in headers]
    assert all(len(part) == oai.PAGE for part in parts[:-1])


def test_nothing_in_a_time_is_said() -> None:
    headers = [oai.Header("ivo://a/b", DAY, deleted=False)]
    with pytest.raises(oai.OaiError) as caught:
        listed(headers, (("from", "2026-03-02"),))
    assert caught.value.code == "noRecordsMatch"

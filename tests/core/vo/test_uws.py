"""Job documents against the schema of the standard, and the values that steer a job."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from awe.core.vo import uws
from awe.errors import ParameterError

UWS = "{http://www.ivoa.net/xml/UWS/v1.0}"
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
NOW = datetime(2026, 1, 31, 10, 0, 0, 123456, tzinfo=UTC)

# What the schema of UWS needs of XLink (W3C XLink 1.1); the public schema is at an address.
XLINK = b"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="http://www.w3.org/1999/xlink">
  <xs:attribute name="type" type="xs:string"/><xs:attribute name="href" type="xs:anyURI"/>
</xs:schema>"""


class _Local(etree.Resolver):
    def resolve(self, system_url: str, public_id: str, context: Any = None) -> Any:  # noqa: ARG002  # lxml calls it so
        return self.resolve_string(XLINK, context, base_url=None) if "xlink" in system_url else None


@pytest.fixture(scope="session")
def valid(shared_data: Path) -> Callable[[bytes], "etree._Element"]:
    """Return what parses a document that obeys the schema of UWS 1.1."""
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(_Local())
    schema = etree.XMLSchema(etree.parse(shared_data / "h_vo/ivoa-std__UWS/UWS.xsd", parser))

    def check(document: bytes) -> "etree._Element":
        root = etree.fromstring(document)
        schema.assertValid(root)
        return root

    return check


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=20)
moments = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
references = st.builds(
    uws.ResultReference, texts, st.just("http://here/results/r"), texts, st.integers(0, 2**60)
)
jobs = st.builds(
    uws.JobDescription,
    id=st.text("0123456789abcdef", min_size=1),
    phase=st.sampled_from(uws.PHASES),
    created=moments,
    duration_s=st.integers(0, 2**31 - 1),
    destruction=moments,
    run_id=texts,
    owner=st.none() | texts,
    started=st.none() | moments,
    ended=st.none() | moments,
    parameters=st.lists(st.tuples(texts, texts), max_size=3),
    parts=st.lists(st.tuples(texts, st.just("http://here/parameters/p")), max_size=2),
    results=st.lists(references, max_size=2),
    error=st.none() | texts,
    transient=st.booleans(),
    info=st.just(()) | st.just((("progress", "rows"), ("done", "7"))),
)


@given(job=jobs)
def test_every_document_obeys_the_schema(
    valid: Callable[[bytes], "etree._Element"], job: uws.JobDescription
) -> None:
    root = valid(uws.job_document(job))
    assert root.get("version") == "1.1"
    assert root.findtext(f"{UWS}jobId") == job.id
    for name in ("ownerId", "quote", "startTime", "endTime", "destruction"):
        assert root.find(f"{UWS}{name}") is not None
    listed = valid(uws.jobs_document([(job, "http://here/a"), (job, "http://here/b")]))
    assert [one.findtext(f"{UWS}phase") for one in listed] == [job.phase] * 2
    assert len(valid(uws.parameters_document(job))) == len(job.parameters) + len(job.parts)
    assert len(valid(uws.results_document(job))) == len(job.results)


def test_what_is_not_known_is_nil_and_moments_end_with_z() -> None:
    root = etree.fromstring(uws.job_document(uws.JobDescription("a", "PENDING", NOW, 60, NOW)))
    nil = {one.tag.removeprefix(UWS) for one in root if one.get(NIL) == "true"}
    assert nil == {"ownerId", "quote", "startTime", "endTime"}
    assert root.findtext(f"{UWS}creationTime") == "2026-01-31T10:00:00.123Z"


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("2026-01-31T10:00:00Z", "2026-01-31T10:00:00.000Z"),
        ("2026-01-31T10:00:00", "2026-01-31T10:00:00.000Z"),
        ("2026-01-31 10:00:00.5", "2026-01-31T10:00:00.500Z"),
        ("2026-01-31T11:00:00+01:00", "2026-01-31T10:00:00.000Z"),
        ("2026-01-31", "2026-01-31T00:00:00.000Z"),
    ],
)
def test_moments(given: str, found: str) -> None:
    assert uws.moment(uws.AFTER.read(given)) == found


@pytest.mark.parametrize(
    ("param", "value"),
    [(uws.AFTER, "yesterday"), (uws.LAST, "0"), (uws.WAIT, "-2"), (uws.WAIT, "1.5"), (uws.PHASE, "DONE")],
)
def test_bad_values_are_told(param: Any, value: str) -> None:
    with pytest.raises(ParameterError, match=param.name):
        param.read(value)


def test_to_wait_for_ever() -> None:
    assert uws.WAIT.read("-1") == float("inf")
    assert uws.WAIT.read("30") == 30.0

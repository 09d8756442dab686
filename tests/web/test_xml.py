"""Every XML document that awe answers, against the official schemas.

Whoever adds an address that answers XML adds it to `DOCUMENTS`; a document in a new namespace is refused until its
schema is found by ``xml_schemas.py``.
"""

import importlib.util
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from starlette.testclient import TestClient

from awe.testing import TINY_CENTRE, TINY_TABLE

pytestmark = pytest.mark.slow

RA, DEC = TINY_CENTRE
CONE = {"RA": RA, "DEC": DEC, "SR": 0.05}
SERVICES = ("tap", f"scs/{TINY_TABLE}", "sia", "sia2", "soda", "ssa", "datalink", "oai")
TAP_RECORD = {"verb": "GetRecord", "metadataPrefix": "ivo_vor", "identifier": "ivo://tiny.test/services/tap"}

DOCUMENTS: tuple[tuple[str, dict[str, Any]], ...] = (
    *((f"/{service}/{word}", {}) for service in SERVICES for word in ("capabilities", "availability")),
    ("/tap/tables", {}),
    ("/tap/tables", {"detail": "min"}),
    (f"/tap/tables/{TINY_TABLE}", {}),
    ("/tap/tables/TAP_SCHEMA.keys", {}),
    ("/tap/tables/ivoa.obscore", {}),
    ("/tap/sync", {"LANG": "ADQL", "QUERY": f"SELECT * FROM {TINY_TABLE}"}),
    ("/tap/sync", {"LANG": "ADQL", "QUERY": f"SELECT * FROM {TINY_TABLE}", "RESPONSEFORMAT": "votable/b2"}),
    ("/tap/sync", {"LANG": "ADQL", "QUERY": "SELECT * FROM ivoa.obscore"}),
    ("/tap/sync", {"LANG": "ADQL", "QUERY": "SELECT nix"}),
    (f"/scs/{TINY_TABLE}", CONE),
    (f"/scs/{TINY_TABLE}", {"RA": 400}),
    ("/sia", {"POS": f"{RA},{DEC}", "SIZE": "0.1"}),
    ("/sia", {"FORMAT": "METADATA"}),
    ("/sia", {"POS": "nix"}),
    ("/sia2/query", {"POS": f"CIRCLE {RA} {DEC} 0.1"}),
    ("/sia2/query", {"POS": "nix"}),
    ("/ssa", {"REQUEST": "queryData", "POS": f"{RA},{DEC}", "SIZE": "0.1"}),
    ("/ssa", {"FORMAT": "METADATA"}),
    ("/ssa", {"POS": "nix"}),
    ("/datalink/links", {"ID": ["ivo://tiny.test/tiny?tiny_acs_f606w", "nix"]}),
    ("/datalink/links", {"MAXREC": "nix"}),
    *(("/oai", {"verb": verb}) for verb in ("Identify", "ListSets", "ListMetadataFormats")),
    ("/oai", TAP_RECORD),
    ("/oai", {**TAP_RECORD, "metadataPrefix": "oai_dc"}),
    *(("/oai", {"verb": v, "metadataPrefix": p}) for v in ("ListRecords", "ListIdentifiers") for p in ("ivo_vor", "oai_dc")),
    ("/oai", {"verb": "Nix"}),
    ("/oai", {**TAP_RECORD, "identifier": "ivo://tiny.test/nix"}),
)  # fmt: skip


@pytest.fixture(scope="module")
def faults(
    tmp_path_factory: pytest.TempPathFactory, shared_data: Path, stilts: str
) -> Callable[[bytes], Iterable[str]]:
    assert stilts  # its library holds most of the schemas
    place = Path(__file__).with_name("xml_schemas.py")
    spec = importlib.util.spec_from_file_location("xml_schemas", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    schema = module.make_validator(tmp_path_factory.mktemp("schemas"), shared_data)
    return lambda content: list(module.faults(schema, content))


def test_a_wrong_document_is_found(faults: Callable[[bytes], Iterable[str]], web: TestClient) -> None:
    right = web.get("/tap/capabilities").content
    assert faults(right.replace(b"<interface", b"<intreface").replace(b"</interface", b"</intreface"))
    assert faults(b'<nix xmlns="http://nowhere.test/"/>')


@pytest.mark.parametrize(("path", "params"), DOCUMENTS)
def test_every_document_is_valid(
    web: TestClient, faults: Callable[[bytes], Iterable[str]], path: str, params: dict[str, Any]
) -> None:
    answer = web.get(path, params=params)
    assert "xml" in answer.headers["content-type"]
    assert faults(answer.content) == []


def test_examples_are_well_formed_xhtml(web: TestClient) -> None:
    root = etree.fromstring(web.get("/tap/examples").content)
    assert root.tag == "{http://www.w3.org/1999/xhtml}html"

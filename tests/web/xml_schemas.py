"""The official XML schemas, found where programs and data of the tests hold them, as one validator.

STILTS brings those of VOResource, VODataService, VOSI, TAPRegExt and UWS, astropy that of VOTable, the test data those
of registries; ``schemas/`` has what none of them holds. No schema is fetched: every import is led to a local file.
"""

import zipfile
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path

from lxml import etree

XS = "{http://www.w3.org/2001/XMLSchema}"
XML_NAMESPACE = "http://www.w3.org/XML/1998/namespace"
_JARS = ("/usr/share/java/starlink-ttools.jar", "/usr/share/java/stilts.jar")
_IN_JAR = (
    "TAPRegExt-v1.0-Erratum1", "UWS-v1.1", "VODataService-v1.2", "VOResource-v1.1", "VOSIAvailability-v1.0",
    "VOSICapabilities-v1.0", "VOSITables-v1.1", "stc-v1.30", "xlink", "xmlnamespace",
)  # fmt: skip
_IN_DATA = ("registry_interfaces/RegistryInterface-1.0", "voregistry/VORegistry-1.1")


def _sources(data: Path) -> Iterator[bytes]:
    jar = next(path for path in _JARS if Path(path).exists())
    with zipfile.ZipFile(jar) as opened:
        for name in _IN_JAR:
            yield opened.read(f"uk/ac/starlink/ttools/taplint/{name}.xsd")
    yield files("astropy.io.votable").joinpath("data/VOTable.v1.4.xsd").read_bytes()
    for name in _IN_DATA:
        yield (data / f"h_vo/spacetelescope__vo-models/tests/{name}.xsd").read_bytes()
    for path in sorted(Path(__file__).with_name("schemas").glob("*.xsd")):
        yield path.read_bytes()


def make_validator(folder: Path, data: Path) -> etree.XMLSchema:
    """Write the schemas into a folder, imports led to one another, and return the schema of all of them."""
    schemas: dict[str, etree._Element] = {}
    for source in _sources(data):
        root = etree.fromstring(source)
        schemas[root.get("targetNamespace") or ""] = root
    places = {namespace: f"{number}.xsd" for number, namespace in enumerate(schemas)}
    for namespace, root in schemas.items():
        for imported in root.iter(f"{XS}import"):
            imported.set("schemaLocation", places[imported.get("namespace") or ""])
        (folder / places[namespace]).write_bytes(etree.tostring(root))
    whole = etree.Element(f"{XS}schema")
    for namespace, place in places.items():
        etree.SubElement(whole, f"{XS}import", namespace=namespace, schemaLocation=place)
    (folder / "all.xsd").write_bytes(etree.tostring(whole))
    return etree.XMLSchema(file=str(folder / "all.xsd"))


def faults(schema: etree.XMLSchema, content: bytes) -> Iterable[str]:
    """Return what is wrong with a document."""
    document = etree.fromstring(content)
    schema.validate(document)
    return [f"line {error.line}: {error.message}" for error in schema.error_log]  # type: ignore[attr-defined]  # not in the stubs

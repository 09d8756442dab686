"""The ways in which each kind of resource can be used, as registries tell of them.

Whoever gives a service a new protocol adds it here and to the service's ``/capabilities``; a test finds them equal.
"""

from awe.core.resources import Offer

__all__ = ["COLLECTION", "DATASETS", "GROUPS", "REGISTRY", "TAP", "TAP_AUX", "cone"]

_VOTABLE = "application/x-votable+xml"
_LINKS = "application/x-votable+xml;content=datalink"


def _vosi(path: str) -> tuple[Offer, ...]:
    """Return what every service of the Virtual Observatory says of itself (VOSI 1.1)."""
    return (
        Offer("ivo://ivoa.net/std/VOSI#capabilities", f"{path}/capabilities", version="1.0"),
        Offer("ivo://ivoa.net/std/VOSI#availability", f"{path}/availability", version="1.0"),
    )


REGISTRY = (
    Offer("ivo://ivoa.net/std/Registry", "/oai", kind="vg:Harvest", interface="vg:OAIHTTP", version="1.0"),
    *_vosi("/oai"),
)

TAP = (
    Offer("ivo://ivoa.net/std/TAP", "/tap", kind="tr:TableAccess", version="1.1", base=True),
    Offer("ivo://ivoa.net/std/VOSI#tables-1.1", "/tap/tables", version="1.1"),
    Offer("ivo://ivoa.net/std/DALI#examples", "/tap/examples"),
    *_vosi("/tap"),
    # as CADC's clients look for tables of one's own
    Offer("ivo://ivoa.net/std/VOSI#table-load-1.x", "/tap/load"),
    Offer("ivo://ivoa.net/std/VOSI#table-update-async-1.x", "/tap/table-update"),
    Offer("ivo://ivoa.net/std/VOSI#table-permissions-1.x", "/tap/permissions"),
)

TAP_AUX = Offer("ivo://ivoa.net/std/TAP#aux", "/tap", base=True)

DATASETS = (
    Offer("ivo://ivoa.net/std/SIA", "/sia", version="1.0", result_type=_VOTABLE),
    *_vosi("/sia"),
    Offer("ivo://ivoa.net/std/SIA#query-2.0", "/sia2/query", version="2.0", result_type=_VOTABLE),
    *_vosi("/sia2"),
    Offer(
        "ivo://ivoa.net/std/SSA",
        "/ssa?",
        kind="ssap:SimpleSpectralAccess",
        version="1.1",
        result_type=_VOTABLE,
        base=True,
    ),
    *_vosi("/ssa"),
    Offer("ivo://ivoa.net/std/SODA#sync-1.0", "/soda/sync", version="1.0", result_type=_VOTABLE),
    Offer("ivo://ivoa.net/std/SODA#async-1.0", "/soda/async", version="1.0", result_type=_VOTABLE),
    *_vosi("/soda"),
    Offer("ivo://ivoa.net/std/DataLink#links-1.1", "/datalink/links", version="1.1", result_type=_LINKS),
    *_vosi("/datalink"),
    Offer("ivo://ivoa.net/std/hips#hipslist-1.0", "/hipslist", result_type="text/plain", alone=True),
)

GROUPS = (
    Offer("ivo://ivoa.net/std/gms#search-1.0", "/gms/search", version="1.0", result_type="text/plain"),
    *_vosi("/gms"),
)

COLLECTION = (
    Offer("ivo://ivoa.net/std/SIA#query-aux-2.0", "/sia2/query", version="2.0", result_type=_VOTABLE),
    TAP_AUX,
)


def cone(full_name: str) -> tuple[Offer, ...]:
    """Return the ways into one table with positions."""
    path = f"/scs/{full_name}"
    own = Offer(
        "ivo://ivoa.net/std/ConeSearch", path, kind="cs:ConeSearch", version="1.03", result_type=_VOTABLE
    )
    return (own, *_vosi(path), TAP_AUX)

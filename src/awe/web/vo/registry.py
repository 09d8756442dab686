"""``/oai``: the archive as a publishing registry (Registry Interfaces 1.1), which others harvest by OAI-PMH."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from starlette.responses import Response

from awe.core.resources import Offer, Resource
from awe.core.vo import oai, vosi
from awe.core.vo import registry as vor
from awe.core.vo.oai import Element
from awe.services.identity import ANONYMOUS
from awe.services.registry import Announced
from awe.web.http import Call
from awe.web.vo import datalink, gms, scs, sia, sia2, soda, ssa, tap
from awe.web.vo._vosi import Capabilities, capabilities

__all__ = ["harvest", "registry_capabilities"]

_XML = "text/xml"
_NOBODY = "nobody@example.invalid"
"""OAI-PMH wants an address of the operators; RFC 2606 keeps this one for those who give none."""


def harvest(call: Call) -> Response:
    """Answer a request of OAI-PMH 2.0: ``/oai``."""
    call = replace(call, identity=ANONYMOUS)  # registries are told what everybody may know
    address = f"{call.base_url}/oai"
    try:
        request = oai.parse(call.pairs)
        return Response(oai.answer(request, address, _body(call, request, address)), media_type=_XML)
    except oai.OaiError as error:
        return Response(oai.failure(error, address, call.pairs), media_type=_XML)


def registry_capabilities(call: Call) -> Capabilities:
    """Say where registries find the records: ``/oai/capabilities``."""
    found = next(one for one in call.platform.registry.resources() if one.kind == "vg:Registry")
    return capabilities(call, "oai", *(_capability(call, offer) for offer in _harvests(found)))


_SERVICES: Mapping[str, Callable[[Call], Capabilities]] = {
    "/tap": tap.tap_capabilities,
    "/sia": sia.sia_capabilities,
    "/sia2": sia2.sia2_capabilities,
    "/ssa": ssa.ssa_capabilities,
    "/soda": soda.soda_capabilities,
    "/datalink": datalink.datalink_capabilities,
    "/gms": gms.gms_capabilities,
    "/oai": registry_capabilities,
}
"""Which handler says what a service can do, by the service's path; cone searches have one for all tables."""


def _body(call: Call, request: oai.Request, address: str) -> Element:
    announced = {one.ivoid: one for one in call.platform.registry.announced()}
    headers = [oai.Header(one.ivoid, one.changed, one.resource is None) for one in announced.values()]
    records = _Records(call, announced)
    if request.verb == "Identify":
        archive = call.platform.settings.archive
        own = next(one for one in headers if records.kind(one) == "vg:Registry")
        earliest = min(one.changed for one in headers)
        return oai.identity(
            archive.title, address, archive.contact or _NOBODY, earliest, records.metadata(own, oai.VOR)
        )
    if request.verb == "ListSets":
        return oai.sets()
    if request.window is not None:
        return oai.some(request, headers, records.metadata)
    wanted = request.arguments.get("identifier", "").lower()
    found = next((one for one in headers if one.ivoid == wanted), None)
    if found is None and wanted:
        raise oai.OaiError("idDoesNotExist", f"there is no record {wanted}")
    if request.verb == "ListMetadataFormats" or found is None:
        return oai.metadata_formats()
    return oai.one(found, request.arguments["metadataPrefix"], records.metadata)


class _Records:
    """Write the records of one request; what TAP_SCHEMA says is read once."""

    def __init__(self, call: Call, announced: Mapping[str, Announced]) -> None:
        self._call = call
        self._announced = announced
        self._described: vosi.Described | None = None

    def kind(self, header: oai.Header) -> str:
        """Return the type of a record."""
        resource = self._announced[header.ivoid].resource
        return resource.kind if resource else ""

    def metadata(self, header: oai.Header, prefix: str) -> Element:
        """Return what a record tells."""
        resource = self._announced[header.ivoid].resource
        assert resource is not None  # noqa: S101  # nothing is told of what is gone
        if prefix == oai.DC:
            return vor.dublin_core(resource, self._call.base_url)
        return vor.record(
            resource, self._call.base_url, _elements(self._call, resource), self._tables(resource)
        )

    def _tables(self, resource: Resource) -> Element | None:
        if not resource.tables:
            return None
        if self._described is None:
            self._described = tap.described(self._call)
        return vosi.tableset(self._described.only(resource.tables))


def _elements(call: Call, resource: Resource) -> Iterator[Element]:
    """Yield the capabilities of a resource, as its services themselves tell them."""
    for offer in resource.offers:
        if offer.standard_id == vosi.CAPABILITIES:
            service = offer.path.removesuffix("/capabilities")
            # registries are told the way in that is open to everybody, where there is one
            listed = _listed(call, service)
            yield from (
                replace(o, security=() if "" in o.security else o.security).to_element() for o in listed
            )
        elif offer.auxiliary or offer.alone:
            yield _capability(call, offer).to_element()


def _listed(call: Call, service: str) -> tuple[vosi.Capability, ...]:
    if service in _SERVICES:
        return _SERVICES[service](call).listed
    return scs.cone_capabilities(call, service.rpartition("/")[2]).listed


def _harvests(resource: Resource) -> list[Offer]:
    return [offer for offer in resource.offers if offer.kind == "vg:Harvest"]


def _capability(call: Call, offer: Offer) -> vosi.Capability:
    harvests = offer.kind == "vg:Harvest"
    return vosi.Capability(
        offer.standard_id,
        f"{call.base_url}{offer.path}",
        version=offer.version,
        kind=offer.kind if harvests else "",
        interface=offer.interface,
        base=offer.base,
        result_type=offer.result_type,
        details=vor.harvest_details(oai.PAGE) if harvests else (),
    )

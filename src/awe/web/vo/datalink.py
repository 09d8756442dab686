"""``/datalink/links``, also ``/datalink``: what belongs to a dataset (DataLink 1.1)."""

from collections.abc import Iterator
from functools import partial
from urllib.parse import quote, urlsplit

from starlette.responses import Response

from awe.core.tables.formats import FORMATS, VOTableOptions
from awe.core.vo import dali, datalink, vosi
from awe.core.vo.datalink import Element, Link
from awe.core.vo.links import cutouts_of, links_url
from awe.errors import AweError
from awe.services.observations import PLOTTED, Dataset, Relation, Relative
from awe.web.http import Call, TableResponse, chosen_format
from awe.web.vo._vosi import Capabilities, capabilities

__all__ = ["datalink_capabilities", "links"]

_MOST_IDS = 1000
_THUMBNAIL_PIXELS = 128
_SPECTRUM_FORMS = ("votable", "fits", "csv")
_open = partial(Link, link_auth="optional", link_authorized=True)
"""A link that everybody may use, logged in or not."""

_SAID: dict[Relation, str] = {
    "progenitor": "What this was made of",
    "derivation": "What was made of this",
    "coderived": "Made beside this of the same observation",
    "weight": "Weights of the pixels",
    "error": "Errors of the pixels",
    "auxiliary": "Says more of the pixels",
}


def links(call: Call) -> Response:
    """Return the links of each ID, one ID after the other (section 3)."""
    values = datalink.PARAMS.parse(call.pairs)
    named = values.get(dali.RESPONSEFORMAT)
    form, media_type = chosen_format(named)
    if not named or "content=datalink" in named.replace(" ", "").lower():
        media_type = datalink.MEDIA_TYPE
    resources: list[Element] = [datalink.self_description(links_url(call.base_url))]
    most = values.get(dali.MAXREC)
    preferred = values.all(datalink.MEDIATYPE)
    rows: list[Link] = []
    cut = False
    named_ids = values.all(datalink.ID)
    if call.tapplus:  # whose client sends them in one, with commas between
        named_ids = tuple(one.strip() for several in named_ids for one in several.split(","))
    for number, identifier in enumerate(named_ids, start=1):
        found, described = _links(call, identifier, number)
        found.sort(key=lambda link: _order(link, preferred))
        cut = number > _MOST_IDS or (most is not None and len(rows) + len(found) > most)
        if cut:  # never among the links of one ID (section 2.1.1)
            break
        rows += found
        resources += described
    options = VOTableOptions(infos=(("standardID", datalink.STANDARD_ID, ""),), resources=resources)
    return TableResponse(datalink.link_table(rows, overflow=cut), form, options, media_type=media_type)


def datalink_capabilities(call: Call) -> Capabilities:
    """Say where the links are: ``/datalink/capabilities``."""
    own = vosi.Capability(
        datalink.STANDARD_ID,
        links_url(call.base_url),
        version="1.1",
        params=datalink.PARAMS,
        result_type=datalink.MEDIA_TYPE,
    )
    return capabilities(call, "datalink", own)


def _links(call: Call, identifier: str, number: int) -> tuple[list[Link], list[Element]]:
    try:
        dataset, relatives = call.platform.observations.family(identifier, call.identity)
    except AweError as error:
        return [Link.failed(identifier, error)], []
    cutouts = cutouts_of(call.base_url, dataset.to_row(), number) if dataset.has_images else {}
    found = [
        _file(call, identifier, dataset, "The file", datalink.THIS),
        *_tables(call, identifier, dataset),
        *_pictures(call, identifier, dataset),
        *(
            _open(
                identifier,
                service_def=service,
                description="A piece of it, cut next to the data",
                semantics="#cutout",
                content_type="application/fits",
                content_qualifier=_kind(dataset),
            )
            for service in cutouts
        ),
        *(_relative(call, identifier, one) for one in relatives),
        *_documents(call, identifier, dataset),
    ]
    return found, list(cutouts.values())


def _order(link: Link, preferred: tuple[str, ...]) -> int:
    """Return 0 for the files that come first, 1 for other files, 2 for the rest."""
    return 2 if link.semantics != datalink.THIS else int(link.content_type not in preferred)


def _tables(call: Call, identifier: str, dataset: Dataset) -> Iterator[Link]:
    """Yield a spectrum in the forms in which it is delivered beside its file."""
    if dataset.dataproduct_type != "spectrum":
        return
    for name in _SPECTRUM_FORMS:
        yield _open(
            identifier,
            access_url=f"{_place(call, dataset)}/spectrum?format={name}",
            description=f"The spectrum as a table in the words of the Spectral Data Model, {name}",
            semantics=datalink.THIS,
            content_type=FORMATS[name].media_types[0].partition(";")[0],
            content_qualifier=_kind(dataset),
            local_semantics=f"spectrum-{name}",
        )


def _pictures(call: Call, identifier: str, dataset: Dataset) -> Iterator[Link]:
    if not dataset.has_images and dataset.dataproduct_type not in PLOTTED:
        return
    kind = "#preview-image" if dataset.has_images else "#preview-plot"
    place = f"{_place(call, dataset)}/preview"
    yield _open(
        identifier, access_url=place, description="A picture of it", semantics=kind, content_type="image/png"
    )
    yield _open(
        identifier,
        access_url=f"{place}?size={_THUMBNAIL_PIXELS}",
        description="A small picture of it",
        semantics="#preview",  # its narrower word, #thumbnail, is unknown to validators in wide use (stilts 3.4)
        content_type="image/png",
        local_semantics="thumbnail",
    )


def _relative(call: Call, identifier: str, one: Relative) -> Link:
    said = f"{_SAID[one.relation]}: {one.product or 'the principal product'}"
    return _file(call, identifier, one.dataset, said, f"#{one.relation}", one.product or None)


def _documents(call: Call, identifier: str, dataset: Dataset) -> Iterator[Link]:
    yield _open(
        identifier,
        access_url=_place(call, dataset),
        description="What is known of it, for programs",
        semantics="#auxiliary",
        content_type="application/json",
        local_semantics="metadata",
    )
    reference = dataset.about.get("reference", "")
    if urlsplit(reference).scheme in {"http", "https"}:
        yield _open(
            identifier,
            access_url=reference,
            description="What its publisher says of the collection",
            semantics="#documentation",
        )


def _file(
    call: Call, identifier: str, dataset: Dataset, said: str, semantics: str, local: str | None = None
) -> Link:
    return _open(
        identifier,
        access_url=f"{_place(call, dataset)}/file",
        description=f"{said}, {dataset.path.name}",
        semantics=semantics,
        content_type=dataset.media_type,
        content_length=dataset.size,
        content_qualifier=_kind(dataset),
        local_semantics=local,
    )


def _kind(dataset: Dataset) -> str | None:
    kind = dataset.dataproduct_type
    return f"#{kind}" if kind in datalink.PRODUCT_TYPES else None


def _place(call: Call, dataset: Dataset) -> str:
    return f"{call.base_url}/api/datasets/{quote(dataset.publisher_did, safe='')}"

"""Documents of tables that are asked for again and again: what is the same in each answer is made once.

To make the description of a dozen columns takes longer than to find and write the rows of a small search.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

from awe.core.tables._schema import Schema
from awe.core.tables.formats._votable_document import Frame, frame, open_frame
from awe.core.tables.formats._votable_options import VOTableOptions

__all__ = ["kept_frame"]

_MOST = 200
_known: OrderedDict[Hashable, tuple[Schema, Schema, Frame]] = OrderedDict()
_lock = threading.Lock()


def kept_frame(
    schema: Schema, options: VOTableOptions, serialization: str, basic: Callable[[Schema], Schema]
) -> tuple[Schema, Frame]:
    """Return the columns of a document in basic types, and the document without its rows.

    Parameters
    ----------
    schema
        Known again by its identity: whoever answers the same question again has the same.
    basic
        Makes the columns basic; the same for a serialisation.
    """
    if options.params or options.groups or options.head_params or options.resources:
        made = basic(schema)
        return made, frame(made, options, serialization)
    key = (
        id(schema),
        serialization,
        options.status,
        options.description,
        tuple(options.ucds.items()),
        tuple(options.ids.items()),
        tuple(info for info in options.infos if info[0] == "epoch"),  # the coordinate system says it too
    )
    with _lock:
        known = _known.get(key)
        if known is not None:
            _known.move_to_end(key)
    if known is None:
        made = basic(schema)
        known = (schema, made, open_frame(made, options, serialization))  # with the schema its identity lasts
        with _lock:
            _known[key] = known
            if len(_known) > _MOST:
                _known.popitem(last=False)
    return known[1], known[2].with_infos(options.infos)

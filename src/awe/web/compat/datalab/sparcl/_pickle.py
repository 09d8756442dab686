"""A list as Python's pickle, written while its items are made.

SPARCL's client reads spectra in no other form. Only writing is done here: nothing that comes from outside is ever unpickled.
"""

import io
import pickle  # written, never read
from collections.abc import Iterable, Iterator

__all__ = ["pickled"]

_PROTOCOL = 4
_BEGIN = pickle.PROTO + bytes([_PROTOCOL])
_STOP, _EMPTY_LIST, _APPEND = pickle.STOP, pickle.EMPTY_LIST, pickle.APPEND


def pickled(items: Iterable[object]) -> Iterator[bytes]:
    """Yield a pickle of the list of the items (PEP 3154), which may hold no loops."""
    yield _BEGIN + _EMPTY_LIST
    for item in items:
        buffer = io.BytesIO()
        pickler = pickle.Pickler(buffer, _PROTOCOL)
        pickler.fast = True  # without a memo: items that are pickled one by one would each begin theirs anew
        pickler.dump(item)
        yield buffer.getvalue().removeprefix(_BEGIN).removesuffix(_STOP) + _APPEND
    yield _STOP

"""awe, the Astronomer's Workspace Environment: an open science cloud for astronomy.

    import awe
    archive = awe.connect("http://127.0.0.1:8765")  # or awe.connect("./folder"), without a server
    table = archive.cone("hsc.SumCat", "12:30:49.4 +12:23:28", "2 arcmin")

Importing awe is quick: what needs numpy or astropy is loaded when it is first used.
"""

from importlib import import_module

__version__ = "0.1.0"
__all__ = ["Client", "__version__", "broadcast", "connect", "load_ipython_extension", "positions", "show"]

# Loaded on first use, so that `import awe` stays light.
_LAZY = {
    "Client": "awe.client",
    "broadcast": "awe.client.samp",
    "connect": "awe.client",
    "load_ipython_extension": "awe.client.magics",
    "positions": "awe.client",
    "show": "awe.client.picture",
}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module 'awe' has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)

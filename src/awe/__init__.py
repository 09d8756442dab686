"""awe, the Astronomer's Workspace Environment: an open science cloud for astronomy."""

__version__ = "0.1.0"
__all__ = ["__version__"]

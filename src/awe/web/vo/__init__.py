"""The Virtual Observatory's protocols over HTTP, one module each: a request in, one service call, an answer."""

from awe.web.vo import auth, datalink, gms, hats, hips, moc, registry, scs, sia, sia2, soda, ssa, tap, youcat
from awe.web.vo._vosi import availability
from awe.web.vo.uws import JobFace

__all__ = [
    "JobFace",
    "auth",
    "availability",
    "datalink",
    "gms",
    "hats",
    "hips",
    "moc",
    "registry",
    "scs",
    "sia",
    "sia2",
    "soda",
    "ssa",
    "tap",
    "youcat",
]

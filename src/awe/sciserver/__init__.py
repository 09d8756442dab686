"""SciServer's Python library, as far as it is offered here, talking to an awe service.

    from awe.sciserver import Authentication, CasJobs

Function names, arguments and answers are those of the client of 2016 and of today's (2.2): a notebook
needs another import line and nothing else.
"""

from awe.sciserver import Authentication, CasJobs

__all__ = ["Authentication", "CasJobs"]

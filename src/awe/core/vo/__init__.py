"""The standards of the Virtual Observatory, one module each: their parameters and their documents.

`params` declares request parameters, `dali` what all services share; `tap`, `scs`, `sia1`, `sia2`, `soda`,
`datalink`, `uws` and `vosi` hold one standard each. Pure values: nothing here knows HTTP, a service or a database.
"""

from awe.core.vo import dali, datalink, params, scs, sia1, sia2, soda, tap, uws, vosi

__all__ = ["dali", "datalink", "params", "scs", "sia1", "sia2", "soda", "tap", "uws", "vosi"]

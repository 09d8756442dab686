"""Algorithms on arrays, headers and tables.

One module per subject. Nothing here knows a service or speaks a protocol: open HDUs, arrays and values come
in, arrays and values go out. `fitsfile` alone opens files, those that it is given.
"""

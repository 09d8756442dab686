"""Algorithms on arrays, headers and tables.

One module per subject. Nothing here opens a file by name, knows a service or speaks a protocol: open
HDUs, arrays and values come in, arrays and values go out. This is astropy's home inside awe.
"""

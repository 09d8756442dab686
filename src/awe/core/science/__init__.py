"""Algorithms on arrays, tables and FITS headers: no file, socket or database."""

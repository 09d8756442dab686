"""Sphinx configuration: Markdown pages, assets served locally, nothing fetched."""

project = "awe"
author = "The awe developers"
copyright = "2026, The awe developers"  # noqa: A001  # Sphinx's name
extensions = ["myst_parser"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "awe"
exclude_patterns = ["generate.py"]
suppress_warnings = ["myst.xref_missing"]

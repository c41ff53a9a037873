"""How Sphinx builds the manual. `make docs` treats every warning as an error and runs every example."""

from __future__ import annotations

import doctest
import importlib.metadata
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

project = "levcore"
author = "the levcore developers"
copyright = "2026, the levcore developers"
version = release = importlib.metadata.version("levcore")

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.doctest",
    "levcore_tables",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
nitpicky = False

# One page an object, written from its docstring.
autosummary_generate = True
autodoc_typehints = "none"  # numpydoc already prints types, with shapes and units
default_role = "py:obj"  # single backticks in a docstring name an object
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3

# The examples of one page share a namespace, and nothing is in it beforehand: a page imports what it uses.
doctest_default_flags = doctest.ELLIPSIS
doctest_test_doctest_blocks = "default"

html_theme = "pydata_sphinx_theme"
html_static_path = ["_static"]
html_css_files = ["levcore.css"]
html_title = f"levcore {version}"
html_theme_options = {
    "navigation_with_keys": False,
    "header_links_before_dropdown": 6,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
# The pages of a section stand beside each of them; the front page is a map of its own.
html_sidebars: dict[str, list[str]] = {"index": [], "**": ["sidebar-nav-bs"]}

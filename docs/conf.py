"""How Sphinx writes these pages: ``make docs``."""

import re
from importlib.metadata import version as installed

project = "Recurra"
author = "the Recurra authors"
release = version = installed("recurra")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
]
exclude_patterns = ["_build", "decisions"]
default_role = "autolink"

autosummary_generate = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

html_theme = "alabaster"
html_title = f"Recurra {release}"
html_show_sphinx = False
html_theme_options = {
    "description": "Recurrent networks for sequences as they are",
    "fixed_sidebar": True,
    "code_font_size": "0.85em",
    "page_width": "1080px",
    "body_max_width": "820px",
}
html_sidebars = {"**": ["about.html", "navigation.html", "searchfield.html"]}


def escape_unpacking(_app, _what, _name, _obj, _options, lines):
    """Keep ``shape (samples, *y.shape)`` from being read as the start of an emphasis."""
    lines[:] = [re.sub(r"( : .*, )\*(?=\w)", r"\1\\*", line) for line in lines]


def setup(app):
    """Do so before numpydoc reads the docstring."""
    app.connect("autodoc-process-docstring", escape_unpacking, priority=100)

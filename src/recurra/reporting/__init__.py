"""A page about a model: what it was given, how it learned, how good it is, why it answers so."""

from recurra.reporting.page import as_page, check_page
from recurra.reporting.parts import Code, Findings, Folded, Gallery, Listed, Part, Picture, Section

__all__ = [
    "Code",
    "Findings",
    "Folded",
    "Gallery",
    "Listed",
    "Part",
    "Picture",
    "Section",
    "as_page",
    "check_page",
]

"""Look at data before learning from it: what is there, what is missing, what leaks, what to do."""

from recurra.auditing.audit import audit
from recurra.auditing.finding import Finding
from recurra.auditing.missingness import PATTERNS, Missingness, find_pattern
from recurra.auditing.report import Audit
from recurra.auditing.together import find_groups

__all__ = [
    "PATTERNS",
    "Audit",
    "Finding",
    "Missingness",
    "audit",
    "find_groups",
    "find_pattern",
]

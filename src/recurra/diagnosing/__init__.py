"""Whether a network is healthy: gradients, memory, gates, units; each finding ends in advice."""

from recurra.diagnosing.diagnoses import Diagnoses
from recurra.diagnosing.diagnosis import Diagnosis, diagnose
from recurra.diagnosing.doctor import Doctor
from recurra.diagnosing.examined import Answers, Chances, Examined
from recurra.diagnosing.finding import Finding
from recurra.diagnosing.measures import LayerMeasures, Measures

__all__ = [
    "Answers",
    "Chances",
    "Diagnoses",
    "Diagnosis",
    "Doctor",
    "Examined",
    "Finding",
    "LayerMeasures",
    "Measures",
    "diagnose",
]

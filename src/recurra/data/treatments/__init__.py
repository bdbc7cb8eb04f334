"""What is done to data before a network reads them, learned from the training part alone."""

from recurra.data.treatments.align import Align
from recurra.data.treatments.drop import Drop
from recurra.data.treatments.duplicates import Duplicates
from recurra.data.treatments.encode import Encode, Vocabulary
from recurra.data.treatments.fill import Fill
from recurra.data.treatments.grams import Grams
from recurra.data.treatments.indicators import Indicators, SinceObserved
from recurra.data.treatments.log_mel import LogMel
from recurra.data.treatments.outliers import Outliers, find_outliers
from recurra.data.treatments.preprocessor import Preprocessor
from recurra.data.treatments.resample import Resample
from recurra.data.treatments.scale import Scale
from recurra.data.treatments.sorting import Sort
from recurra.data.treatments.spell import Spell
from recurra.data.treatments.stream_treatment import StreamTreatment
from recurra.data.treatments.subwords import Subwords
from recurra.data.treatments.target_scale import TargetScale
from recurra.data.treatments.timing import Calendar, Elapsed, Gaps
from recurra.data.treatments.treatment import Learned, Treatment

__all__ = [
    "Align",
    "Calendar",
    "Drop",
    "Duplicates",
    "Elapsed",
    "Encode",
    "Fill",
    "Gaps",
    "Grams",
    "Indicators",
    "Learned",
    "LogMel",
    "Outliers",
    "Preprocessor",
    "Resample",
    "Scale",
    "SinceObserved",
    "Sort",
    "Spell",
    "StreamTreatment",
    "Subwords",
    "TargetScale",
    "Treatment",
    "Vocabulary",
    "find_outliers",
]

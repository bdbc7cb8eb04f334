"""What is done to data before a network reads them, learned from the training part alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recurra.first_use import names_of

if TYPE_CHECKING:
    from recurra.data.treatments.align import Align as Align
    from recurra.data.treatments.drop import Drop as Drop
    from recurra.data.treatments.duplicates import Duplicates as Duplicates
    from recurra.data.treatments.encode import Encode as Encode
    from recurra.data.treatments.encode import Vocabulary as Vocabulary
    from recurra.data.treatments.fill import Fill as Fill
    from recurra.data.treatments.grams import Grams as Grams
    from recurra.data.treatments.indicators import Indicators as Indicators
    from recurra.data.treatments.indicators import SinceObserved as SinceObserved
    from recurra.data.treatments.log_mel import LogMel as LogMel
    from recurra.data.treatments.outliers import Outliers as Outliers
    from recurra.data.treatments.outliers import find_outliers as find_outliers
    from recurra.data.treatments.preprocessor import Preprocessor as Preprocessor
    from recurra.data.treatments.resample import Resample as Resample
    from recurra.data.treatments.scale import Scale as Scale
    from recurra.data.treatments.sorting import Sort as Sort
    from recurra.data.treatments.spell import Spell as Spell
    from recurra.data.treatments.stream_treatment import StreamTreatment as StreamTreatment
    from recurra.data.treatments.subwords import Subwords as Subwords
    from recurra.data.treatments.target_scale import TargetScale as TargetScale
    from recurra.data.treatments.timing import Calendar as Calendar
    from recurra.data.treatments.timing import Elapsed as Elapsed
    from recurra.data.treatments.timing import Gaps as Gaps
    from recurra.data.treatments.treatment import Learned as Learned
    from recurra.data.treatments.treatment import Treatment as Treatment

_HOMES = {
    "Align": "align",
    "Calendar": "timing",
    "Drop": "drop",
    "Duplicates": "duplicates",
    "Elapsed": "timing",
    "Encode": "encode",
    "Fill": "fill",
    "Gaps": "timing",
    "Grams": "grams",
    "Indicators": "indicators",
    "Learned": "treatment",
    "LogMel": "log_mel",
    "Outliers": "outliers",
    "Preprocessor": "preprocessor",
    "Resample": "resample",
    "Scale": "scale",
    "SinceObserved": "indicators",
    "Sort": "sorting",
    "Spell": "spell",
    "StreamTreatment": "stream_treatment",
    "Subwords": "subwords",
    "TargetScale": "target_scale",
    "Treatment": "treatment",
    "Vocabulary": "encode",
    "find_outliers": "outliers",
}

__all__ = [*_HOMES]

__getattr__, __dir__ = names_of(__name__, _HOMES)

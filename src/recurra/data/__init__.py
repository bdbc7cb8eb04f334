"""From files and tables to records of unequal length, and to batches; knows nothing of networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recurra.first_use import names_of

if TYPE_CHECKING:
    from recurra.data.batching.buckets import Batches as Batches
    from recurra.data.batching.buckets import share_padded as share_padded
    from recurra.data.batching.cutting import head as head
    from recurra.data.batching.cutting import random_crop as random_crop
    from recurra.data.batching.cutting import tail as tail
    from recurra.data.batching.nesting import flatten as flatten
    from recurra.data.batching.nesting import nest as nest
    from recurra.data.batching.parquet import ParquetRecords as ParquetRecords
    from recurra.data.batching.records import PaddedRecords as PaddedRecords
    from recurra.data.batching.records import pad_records as pad_records
    from recurra.data.batching.splitting import folds as folds
    from recurra.data.batching.splitting import split as split
    from recurra.data.batching.store import open_stored as open_stored
    from recurra.data.batching.windowing import windows as windows
    from recurra.data.panel.calendar import calendar_features as calendar_features
    from recurra.data.panel.clock import Clock as Clock
    from recurra.data.panel.covariates import CovariateEncoder as CovariateEncoder
    from recurra.data.panel.covariates import Encoded as Encoded
    from recurra.data.panel.frame import from_frame as from_frame
    from recurra.data.panel.future import future_frame as future_frame
    from recurra.data.panel.panel import Panel as Panel
    from recurra.data.panel.panel import Series as Series
    from recurra.data.panel.season import detect_season_lengths as detect_season_lengths
    from recurra.data.reading.archive import from_ts as from_ts
    from recurra.data.reading.arff import from_arff as from_arff
    from recurra.data.reading.arrays import from_arrays as from_arrays
    from recurra.data.reading.audio import from_audio as from_audio
    from recurra.data.reading.events import from_events as from_events
    from recurra.data.reading.flat import from_flat as from_flat
    from recurra.data.reading.flat import from_npz as from_npz
    from recurra.data.reading.images import from_images as from_images
    from recurra.data.reading.lines import from_lines as from_lines
    from recurra.data.reading.long import from_long as from_long
    from recurra.data.reading.nested import from_nested as from_nested
    from recurra.data.reading.read import read as read
    from recurra.data.reading.text import from_text as from_text
    from recurra.data.reading.tokens import from_tokens as from_tokens
    from recurra.data.reading.transcripts import check_transcripts as check_transcripts
    from recurra.data.reading.transcripts import read_transcripts as read_transcripts
    from recurra.data.reading.ucr import from_ucr as from_ucr
    from recurra.data.reading.wide import from_wide as from_wide
    from recurra.data.sequences.dataset import Record as Record
    from recurra.data.sequences.dataset import SequenceDataset as SequenceDataset
    from recurra.data.sequences.stream import Steps as Steps
    from recurra.data.sequences.stream import Stream as Stream
    from recurra.data.sequences.target import Target as Target
    from recurra.data.tables.columns import Columns as Columns
    from recurra.data.tables.files import read_table as read_table
    from recurra.data.treatments.align import Align as Align
    from recurra.data.treatments.drop import Drop as Drop
    from recurra.data.treatments.duplicates import Duplicates as Duplicates
    from recurra.data.treatments.encode import Encode as Encode
    from recurra.data.treatments.encode import Vocabulary as Vocabulary
    from recurra.data.treatments.fill import Fill as Fill
    from recurra.data.treatments.grams import Grams as Grams
    from recurra.data.treatments.indicators import Indicators as Indicators
    from recurra.data.treatments.indicators import SinceObserved as SinceObserved
    from recurra.data.treatments.outliers import Outliers as Outliers
    from recurra.data.treatments.outliers import find_outliers as find_outliers
    from recurra.data.treatments.preprocessor import Preprocessor as Preprocessor
    from recurra.data.treatments.resample import Resample as Resample
    from recurra.data.treatments.scale import Scale as Scale
    from recurra.data.treatments.sorting import Sort as Sort
    from recurra.data.treatments.spell import Spell as Spell
    from recurra.data.treatments.target_scale import TargetScale as TargetScale
    from recurra.data.treatments.timing import Calendar as Calendar
    from recurra.data.treatments.timing import Elapsed as Elapsed
    from recurra.data.treatments.timing import Gaps as Gaps
    from recurra.data.treatments.treatment import Treatment as Treatment

_HOMES = {
    "Align": "treatments.align",
    "Batches": "batching.buckets",
    "Calendar": "treatments.timing",
    "Clock": "panel.clock",
    "Columns": "tables.columns",
    "CovariateEncoder": "panel.covariates",
    "Drop": "treatments.drop",
    "Duplicates": "treatments.duplicates",
    "Elapsed": "treatments.timing",
    "Encode": "treatments.encode",
    "Encoded": "panel.covariates",
    "Fill": "treatments.fill",
    "Gaps": "treatments.timing",
    "Grams": "treatments.grams",
    "Indicators": "treatments.indicators",
    "Outliers": "treatments.outliers",
    "PaddedRecords": "batching.records",
    "Panel": "panel.panel",
    "ParquetRecords": "batching.parquet",
    "Preprocessor": "treatments.preprocessor",
    "Record": "sequences.dataset",
    "Resample": "treatments.resample",
    "Scale": "treatments.scale",
    "SequenceDataset": "sequences.dataset",
    "Series": "panel.panel",
    "SinceObserved": "treatments.indicators",
    "Sort": "treatments.sorting",
    "Spell": "treatments.spell",
    "Steps": "sequences.stream",
    "Stream": "sequences.stream",
    "Target": "sequences.target",
    "TargetScale": "treatments.target_scale",
    "Treatment": "treatments.treatment",
    "Vocabulary": "treatments.encode",
    "calendar_features": "panel.calendar",
    "check_transcripts": "reading.transcripts",
    "detect_season_lengths": "panel.season",
    "find_outliers": "treatments.outliers",
    "flatten": "batching.nesting",
    "folds": "batching.splitting",
    "from_arff": "reading.arff",
    "from_arrays": "reading.arrays",
    "from_audio": "reading.audio",
    "from_events": "reading.events",
    "from_flat": "reading.flat",
    "from_frame": "panel.frame",
    "from_images": "reading.images",
    "from_lines": "reading.lines",
    "from_long": "reading.long",
    "from_nested": "reading.nested",
    "from_npz": "reading.flat",
    "from_text": "reading.text",
    "from_tokens": "reading.tokens",
    "from_ts": "reading.archive",
    "from_ucr": "reading.ucr",
    "from_wide": "reading.wide",
    "future_frame": "panel.future",
    "head": "batching.cutting",
    "nest": "batching.nesting",
    "open_stored": "batching.store",
    "pad_records": "batching.records",
    "random_crop": "batching.cutting",
    "read": "reading.read",
    "read_table": "tables.files",
    "read_transcripts": "reading.transcripts",
    "share_padded": "batching.buckets",
    "split": "batching.splitting",
    "tail": "batching.cutting",
    "windows": "batching.windowing",
}

__all__ = [*_HOMES]

__getattr__, __dir__ = names_of(__name__, _HOMES)

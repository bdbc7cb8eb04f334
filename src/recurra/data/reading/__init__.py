"""Data as people have it, read into a `SequenceDataset`."""

from recurra.data.reading.archive import from_ts
from recurra.data.reading.arff import from_arff
from recurra.data.reading.arrays import from_arrays
from recurra.data.reading.audio import from_audio
from recurra.data.reading.events import from_events
from recurra.data.reading.flat import from_flat, from_npz
from recurra.data.reading.images import from_images
from recurra.data.reading.lines import from_lines
from recurra.data.reading.long import from_long
from recurra.data.reading.nested import from_nested
from recurra.data.reading.read import read
from recurra.data.reading.text import from_text
from recurra.data.reading.tokens import from_tokens
from recurra.data.reading.transcripts import check_transcripts, read_transcripts
from recurra.data.reading.ucr import from_ucr
from recurra.data.reading.wide import from_wide

__all__ = [
    "check_transcripts",
    "from_arff",
    "from_arrays",
    "from_audio",
    "from_events",
    "from_flat",
    "from_images",
    "from_lines",
    "from_long",
    "from_nested",
    "from_npz",
    "from_text",
    "from_tokens",
    "from_ts",
    "from_ucr",
    "from_wide",
    "read",
    "read_transcripts",
]

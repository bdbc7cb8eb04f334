"""Data as people have it, read into a `SequenceDataset`."""

from recurra.data.reading.arrays import from_arrays
from recurra.data.reading.audio import from_audio
from recurra.data.reading.images import from_images
from recurra.data.reading.text import from_text
from recurra.data.reading.tokens import from_tokens
from recurra.data.reading.transcripts import check_transcripts, read_transcripts

__all__ = [
    "check_transcripts",
    "from_arrays",
    "from_audio",
    "from_images",
    "from_text",
    "from_tokens",
    "read_transcripts",
]

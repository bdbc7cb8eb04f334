"""From a data set to batches: padding, buckets, and data larger than memory."""

from recurra.data.batching.buckets import Batches, share_padded
from recurra.data.batching.padding import Padded, pad
from recurra.data.batching.records import PaddedRecords, pad_records
from recurra.data.batching.store import open_stored, save

__all__ = [
    "Batches",
    "Padded",
    "PaddedRecords",
    "open_stored",
    "pad",
    "pad_records",
    "save",
    "share_padded",
]

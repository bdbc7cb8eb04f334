"""From a data set to batches: padding, buckets, and data larger than memory."""

from recurra.data.batching.buckets import Batches, share_padded
from recurra.data.batching.cutting import head, random_crop, tail
from recurra.data.batching.nesting import flatten, nest
from recurra.data.batching.padding import Padded, pad
from recurra.data.batching.parquet import ParquetRecords
from recurra.data.batching.records import PaddedRecords, pad_records
from recurra.data.batching.splitting import folds, split
from recurra.data.batching.store import open_stored, save
from recurra.data.batching.windows import windows

__all__ = [
    "Batches",
    "Padded",
    "PaddedRecords",
    "ParquetRecords",
    "flatten",
    "folds",
    "head",
    "nest",
    "open_stored",
    "pad",
    "pad_records",
    "random_crop",
    "save",
    "share_padded",
    "split",
    "tail",
    "windows",
]

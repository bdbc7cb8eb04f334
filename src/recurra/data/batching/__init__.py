"""From a data set to batches: padding, buckets, and data larger than memory."""

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
    from recurra.data.batching.padding import Padded as Padded
    from recurra.data.batching.padding import pad as pad
    from recurra.data.batching.parquet import ParquetRecords as ParquetRecords
    from recurra.data.batching.records import PaddedRecords as PaddedRecords
    from recurra.data.batching.records import pad_records as pad_records
    from recurra.data.batching.splitting import folds as folds
    from recurra.data.batching.splitting import split as split
    from recurra.data.batching.store import open_stored as open_stored
    from recurra.data.batching.store import save as save
    from recurra.data.batching.windowing import windows as windows

_HOMES = {
    "Batches": "buckets",
    "Padded": "padding",
    "PaddedRecords": "records",
    "ParquetRecords": "parquet",
    "flatten": "nesting",
    "folds": "splitting",
    "head": "cutting",
    "nest": "nesting",
    "open_stored": "store",
    "pad": "padding",
    "pad_records": "records",
    "random_crop": "cutting",
    "save": "store",
    "share_padded": "buckets",
    "split": "splitting",
    "tail": "cutting",
    "windows": "windowing",
}

__all__ = [*_HOMES]

__getattr__, __dir__ = names_of(__name__, _HOMES)

"""The cells of a table: files, columns, time stamps and values, each checked as it is read."""

from recurra.data.tables.columns import Columns
from recurra.data.tables.files import read_table

__all__ = ["Columns", "read_table"]

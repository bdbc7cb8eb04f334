"""The next row of a record, and steps that are odd."""

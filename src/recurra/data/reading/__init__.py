"""Data as people have it, read into a `SequenceDataset`."""

"""The model file: safetensors, a JSON header and a hash; NumPy only."""

from recurra.artifact.model_file import FORMAT, read_model, write_model

__all__ = ["FORMAT", "read_model", "write_model"]

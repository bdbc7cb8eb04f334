"""The model file: safetensors, a JSON header and a hash; NumPy only."""

from recurra.artifact.model_file import FORMAT, read_model, write_model
from recurra.artifact.schema import arguments, check_schema, closed, take

__all__ = ["FORMAT", "arguments", "check_schema", "closed", "read_model", "take", "write_model"]

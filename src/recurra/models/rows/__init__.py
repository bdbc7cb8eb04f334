"""Networks that say how the next row is distributed."""

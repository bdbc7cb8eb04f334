"""An encoder, and a decoder that attends to it."""

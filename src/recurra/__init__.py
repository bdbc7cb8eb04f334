"""Recurrent networks for sequences as they are."""

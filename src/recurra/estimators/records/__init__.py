"""Answers for records and for their steps: labels, numbers, several at once, tags."""

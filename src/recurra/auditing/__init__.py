"""Look at data before learning from it: what is missing, and after what pattern."""

"""Many series on one clock, for forecasting: from a long table to a `Panel`."""

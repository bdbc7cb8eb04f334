"""How series go on: the forecaster, its state, its intervals, its baselines."""

"""The network of a forecaster, what it reads, and how it says what comes."""

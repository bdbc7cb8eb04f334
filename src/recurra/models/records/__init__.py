"""Networks of records: encoders, fronts, layers, pooling, heads; step by step, too."""

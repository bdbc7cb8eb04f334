"""What holds for every task: reading, holding back, training, reporting, keeping."""

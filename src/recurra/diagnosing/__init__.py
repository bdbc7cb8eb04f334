"""Whether a network is healthy: gradients, memory, gates, units; each finding ends in advice."""

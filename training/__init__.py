"""Learning: data sets, synthetic people, noise settings, losses, metrics and loops (torch)."""

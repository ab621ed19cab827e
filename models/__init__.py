"""Models: part sets, results, the description that travels in a model's file, and the networks (torch)."""

"""What a model is: part sets, results, the description that travels in its file, and the networks (torch)."""

"""Synthetic people: images with exact part labels, drawn from parametric bodies on the CPU."""

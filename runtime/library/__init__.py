"""Models and factors on disk."""

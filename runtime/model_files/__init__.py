"""Bytes of model files that nobody vouches for: read, checked and tried before they may run."""

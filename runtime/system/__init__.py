"""Errors, paths, files, locks, the crash log and thread primitives: what everything above may use."""

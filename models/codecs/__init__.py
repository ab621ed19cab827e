"""Codecs: maps of a network to results in a picture (without torch), and back for training."""

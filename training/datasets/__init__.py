"""Readers of the published data sets, each in the layout it is released in (docs/datasets.md)."""

"""Footage of made-up people whose parts, silhouettes and joints are known exactly, also in bad light."""

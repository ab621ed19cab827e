"""Silhouette sources that may stand in the factor's place."""

"""Providers, sessions, the frozen Engine, silhouette sources, smoothing, the library of models and factors. No Qt."""

"""Providers, sessions, the frozen Engine, silhouette sources, smoothing, the model library. No Qt."""

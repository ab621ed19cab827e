"""The window's use cases, one noun each."""

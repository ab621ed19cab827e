"""Tracking: the same number for the same person over time, and joints smoothed for display. No Qt."""

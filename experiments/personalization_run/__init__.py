"""Experiment 6: how much better joints and silhouettes become when the factor has learned the person."""

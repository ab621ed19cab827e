"""Experiment 6: joints and silhouettes before and after the factor has learned a person."""

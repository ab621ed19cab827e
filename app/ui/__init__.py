"""Widgets; they know neither threads nor each other's insides."""

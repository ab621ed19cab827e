"""Ours and what users would otherwise install, timed in turn on one pinned core."""

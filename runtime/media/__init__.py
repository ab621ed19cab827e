"""Opening (allow-listed), reading, writing, cameras: one place each."""

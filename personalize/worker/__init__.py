"""The worker: a program of its own that turns a job folder into a factor."""

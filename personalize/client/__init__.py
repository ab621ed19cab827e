"""The program's side of a personalisation: the worker's process, its folder, what is kept of it. No Qt."""

"""Many inputs: manifest, resume, workers."""

"""From a clip without labels to a factor that knows the person in it."""

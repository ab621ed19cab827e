"""The experiments of the Factored ConvNet paper on our data, one command each (docs/experiments)."""

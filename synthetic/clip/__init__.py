"""The sample clip: a made-up person moving in a made-up room, rendered from nothing but the body model."""

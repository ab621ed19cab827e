"""A clip like the bundled sample: a made-up person moving in a made-up room, drawn by the generator."""

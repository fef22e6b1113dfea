"""Keys that a group holds and nobody owns: generated together, used together."""

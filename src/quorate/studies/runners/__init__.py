"""One file per trust model: each runs a plan and returns a signed release."""

"""Pure mathematics on NumPy arrays: no input, no output, no time."""

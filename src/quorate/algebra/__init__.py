"""Pure mathematics, on NumPy arrays and on an elliptic curve: no input, no output, no time."""

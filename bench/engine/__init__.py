"""The secure engine's work among three processes, beside NumPy's and beside other programs'."""

"""Attested enclaves."""

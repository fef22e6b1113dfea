"""Differential privacy: exact noise, what it guarantees, and a budget that is never overspent."""

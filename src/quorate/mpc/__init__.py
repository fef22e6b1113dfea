"""Computing on values nobody shows."""

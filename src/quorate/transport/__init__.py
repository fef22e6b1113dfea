"""Sessions between parties, and the two networks that carry them: TLS and memory."""

"""Keys and orders on one node: shares at rest, answers, key generation and signing among nodes."""

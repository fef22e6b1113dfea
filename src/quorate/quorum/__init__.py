"""What a quorum of a key's holders decides: keys, requests, answers to them, signed orders."""

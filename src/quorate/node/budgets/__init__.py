"""What may be released from this member's data under privacy: caps, ledgers, and who asks."""

"""What things cost: rounds and bytes exactly, seconds beside the same work elsewhere."""

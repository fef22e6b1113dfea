"""What a secure sum costs: rounds and bytes exactly, seconds beside a plain sum of the same run."""

"""SQL over secret tables of several members."""

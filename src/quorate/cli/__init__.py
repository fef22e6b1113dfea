"""The command line: one module for each noun, all of them clients of the node's HTTP API."""

"""The process one member runs: its keys, data, links, approvals, audit log, and staff's API."""

SOCKET = "api.sock"
"""The name, in a node's folder, of the socket at which its staff's API listens."""

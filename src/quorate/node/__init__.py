"""The process one member runs: its keys, data, links, approvals, audit log, and staff's API."""

SOCKET = "api.sock"
"""The name, in a node's folder, of the socket at which its staff's API listens."""

CONSOLE = "console.toml"
"""The name, in a node's folder, of the settings of its console; without it there is none."""

"""The process one member runs: its keys, data, links, approvals, audit log, and staff's API."""

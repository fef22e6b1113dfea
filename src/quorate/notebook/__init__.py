"""A node from a notebook or a script: `quorate.connect`, synchronous, with pandas in and out.

It is a client of the node's API like the command line, and can do no more.
"""

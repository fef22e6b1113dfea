"""The web console: what a member's own staff sees of its node in a browser.

A process of its own beside the node's, which asks the node what the command
line asks it, over the same socket: it holds no key and opens no database. Who
has no session reaches the sign-in page and nothing else; who has one does what
its role may (`rights`), and the node's audit log says who asked.
"""

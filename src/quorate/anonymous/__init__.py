"""Messages of a group whose senders nobody learns."""

"""What a member that lies about its rows can do to what is learnt, and what stops it."""

"""Tables of secret rows among three parties: shuffle, sort, compact, group, join, match."""

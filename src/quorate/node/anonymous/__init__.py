"""What a node does about anonymous reports: it holds runs, keeps what they bring, and writes."""

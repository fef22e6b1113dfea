"""What a release shows, for people who would rather look: charts as data, as text, and drawn."""

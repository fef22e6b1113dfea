"""The database's schema, one numbered step a file. Steps are never edited, only added."""

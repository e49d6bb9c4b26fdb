"""Members come in by files of the cooperative: read, planned, committed, invited."""

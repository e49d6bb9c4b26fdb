"""The member directory and sector network of a cooperative."""

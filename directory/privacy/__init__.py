"""The rights of a person over what is held about them, across all domains: copy, erasure, end."""

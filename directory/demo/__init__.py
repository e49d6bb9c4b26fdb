"""The demonstration: an invented community, and a mailbox that keeps every mail it is given."""

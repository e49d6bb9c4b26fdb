"""Who changed what, as people read it: their own acts, what concerns them, and the whole log."""

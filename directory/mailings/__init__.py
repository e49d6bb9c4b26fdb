"""Announcements of a filière to those who asked for them."""

"""Membership of a filière and consent to its mails: two facts, and the proof of the second."""

"""People, what they say of themselves and to whom, and the words that they share."""

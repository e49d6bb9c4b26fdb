"""The pages that belong to no single domain: the search page, about, health."""

"""What every route shares: pages and fragments, problems, guards, page parameters."""

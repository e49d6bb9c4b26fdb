"""The search index. It knows documents, queries and hits, and nothing of the directory.

Whoever fills it gives, for each audience, only what that whole audience may see.
"""

"""The OpenID Connect providers of the tests: a real one, and one that lies."""

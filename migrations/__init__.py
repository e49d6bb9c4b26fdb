"""The changes of the database, one file each, as SQL. They run in the order of their ID."""

"""What happens, where and when, and its calendar."""

"""Measurements, printed with their baselines in the same run. None is a test."""

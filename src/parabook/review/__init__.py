"""Reviewing: what the results of an edition are, what moved between two, and every cell of a chapter as a test."""

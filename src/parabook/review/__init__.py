"""Reviewing: what the results of a book are, what moved between two of them, and what became of every cell."""

"""Benchmarks, run by hand: no test times anything."""

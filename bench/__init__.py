"""Benchmarks: a database filled with texts that people wrote, and the main pages measured on it (`bench/run`)."""

"""Entrants: algorithms with an entry.yaml, and timed runs of their programs, one image at a time."""

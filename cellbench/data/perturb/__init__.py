"""Perturbed images: what a worse or another microscope would have recorded, in five severities."""

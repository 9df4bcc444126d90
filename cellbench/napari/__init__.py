"""A plugin for napari: segment images, compare and correct label maps, save them, and fine-tune a model.

The other folders of cellbench never import this one. Only the modules in ``widgets`` import napari; the
others are plain functions from arrays to arrays, which also work without it.
"""

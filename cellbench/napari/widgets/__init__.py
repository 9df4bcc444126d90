"""The widgets: thin layers of buttons over the functions in `cellbench.napari`."""

"""The figures of a board, one file each; captions.py has their titles and how to read them."""

"""A small shared module for the notebooks of this project."""

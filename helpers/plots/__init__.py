"""Figures from tidy frames; nothing here computes."""

"""Cohorts that print what was printed: claims, the compiled search, directed extremes."""

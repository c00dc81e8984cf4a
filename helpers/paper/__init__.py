"""The published paper: what it printed, what that gives away, and how a cohort compares."""

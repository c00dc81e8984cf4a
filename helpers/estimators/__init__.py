"""Estimators beside the two named ones, Kaplan-Meier and Cox; each names itself in its rows."""

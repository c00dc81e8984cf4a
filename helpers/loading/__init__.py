"""What stands between a reader's file and a `Cohort`; only helpers.cohort imports from here."""

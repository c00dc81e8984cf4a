"""Made cohorts whose truth is known, to see what each estimator does to it."""

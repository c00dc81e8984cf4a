"""How models are fitted: likelihoods, and the compiled kernel; nothing here knows a cohort."""

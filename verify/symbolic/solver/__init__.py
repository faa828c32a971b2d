"""Second opinions: SMT solvers that run the obligations' files. No verdict depends on them; one that disagrees stops a run."""

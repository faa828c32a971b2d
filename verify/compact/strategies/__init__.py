"""How pairs are settled: each strategy with its own theorem; `verify.compact.ladder` runs them in order."""

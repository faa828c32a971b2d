"""The proofs: distillation, exact evaluation, SMT obligations, compact proofs, certificates and the command line."""

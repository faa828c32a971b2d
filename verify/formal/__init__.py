"""The theorem that a network multiplies, as a project that Coq's kernel checks: a fixed theory and the files of one network."""

"""A small checker of certificates, with the standard library alone.

It redoes what a certificate states from the checkpoint, and shares no code with the program that writes certificates. To read it,
begin with `command`, then `statement`, which says what is checked in which order; `shape` is the certificate, `files` and `layouts`
read the checkpoint, `groups` and `programs` are the mathematics of groups and of coset-voting programs, `integers`, `evaluation` and
`float32` the arithmetic, `lemmas` and `tables` the proofs of Q3 and Q4.
"""

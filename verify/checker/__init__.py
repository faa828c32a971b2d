"""A small checker of certificates, with the standard library alone.

It redoes what a certificate states from the checkpoint, and shares no code with the program that writes certificates. To read it:

- `command`, then `statement`, which says what is checked in which order; `shape` is the certificate;
- the file: `files` and `layouts`, with `archives`, `pickles`, `tensors`, `settings`, `readings` and `layers`;
- groups, their names and those of subgroups: `groups` and `names`; programs written out: `programs`;
- arithmetic: `integers`, and `float32`; Q1 and Q2: `evaluation`, which says what is stated of the pairs;
- the shorter proofs of the same: `tables` (Q1 and Q4) with `slots` and `plans`, `equivalence` (Q2), `lemmas` (Q3);
- `processes` shares work out; `progress` writes how far a check has come; `coq` compares a Coq project with the checkpoint.
"""

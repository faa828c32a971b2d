"""A program made for a symbolic proof: the readable program's readings, with votes that lemmas about single points can bound."""

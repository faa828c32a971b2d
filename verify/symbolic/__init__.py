"""Q3: that a program is right for all x, y and z, by lemmas about single points; `decide` gives the answer."""

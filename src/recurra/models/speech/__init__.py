"""Networks of sound, and how their answers are spelled."""

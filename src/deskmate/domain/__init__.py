"""The nouns: frozen dataclasses and pure functions. No I/O, no clock, no randomness."""

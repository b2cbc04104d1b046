"""The memory: one protocol, two engines, SQL in files; the jobs port."""

"""The HTTP API: one file per noun. Routes translate; the verbs decide."""

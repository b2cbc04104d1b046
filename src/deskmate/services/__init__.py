"""The verbs: one transaction each, emits its events; the respond loop. No HTTP, no LLM SDK."""

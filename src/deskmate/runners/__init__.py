"""The AI: adapters to agent frameworks, behind one Runner protocol."""

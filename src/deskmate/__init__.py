"""Deskmate: people and AI agents in the same conversation."""

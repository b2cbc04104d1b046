"""Classifiers: what judges a message before anybody answers it. Adapters to models, behind the protocols of domain/scoring.py."""

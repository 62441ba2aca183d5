"""Scores of relations: spaCy's scorer, official protocols, significance, and tuning by scores."""

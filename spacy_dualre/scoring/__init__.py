"""How good relations are: the scorer, official protocols, significance, tuned thresholds."""

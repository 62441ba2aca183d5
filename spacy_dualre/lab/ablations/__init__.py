"""Ablations: variants of a config, each trained with several seeds, scored officially and compared."""

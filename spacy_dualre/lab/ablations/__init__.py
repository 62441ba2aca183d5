"""Experiments: variants of a config, trained with several seeds, scored officially and compared."""

"""The networks, in torch and transformers alone."""

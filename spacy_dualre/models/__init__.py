"""The models: strings and positions in, arrays out."""

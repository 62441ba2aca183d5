"""What the model reads of a candidate: its marked text and the adapted descriptions."""

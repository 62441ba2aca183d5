"""The spaCy component: factory, settings, decoding, and finding it in a pipeline."""

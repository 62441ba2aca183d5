"""Records, the plain form of an annotated document, and how they become Docs and .spacy files."""

"""Records, a plain form of annotated documents, and their conversion to Docs and .spacy files."""

"""Which pairs of mentions or concepts may be related: the registered policies."""

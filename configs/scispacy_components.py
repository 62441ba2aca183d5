"""For `--code`: scispaCy's components are known only once they are imported."""

from scispacy.abbreviation import AbbreviationDetector  # noqa: F401

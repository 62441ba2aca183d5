"""Relations for people to look at: explanations, pictures, error reports, model cards."""

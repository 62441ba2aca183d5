"""What stands on a Doc: relations, concepts and mentions."""

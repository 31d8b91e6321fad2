"""Clean tables to features, tags and one profile per customer and date."""

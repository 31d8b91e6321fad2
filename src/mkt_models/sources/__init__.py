"""One module per origin of data, each giving the same canonical tables."""

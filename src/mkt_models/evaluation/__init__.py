"""Performance, explanations and fairness: plain tables in, plain tables out."""

"""Labels and time splits; the churn, value and propensity models; the registry."""

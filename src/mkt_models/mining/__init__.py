"""What is bought together, and what a customer buys next."""

"""What stands between HTTP and the decisions: who may ask, what is a question, what is said."""

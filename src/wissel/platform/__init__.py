"""What runs the national facility."""

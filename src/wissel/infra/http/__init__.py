"""HTTP: the outbound client with its guard, and what every server door shares."""

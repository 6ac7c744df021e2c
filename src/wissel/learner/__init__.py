"""What belongs to a learner: the reference vault, and the default provider's door."""

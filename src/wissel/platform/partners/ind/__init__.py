"""IND: whether a stay is lawful on a day."""

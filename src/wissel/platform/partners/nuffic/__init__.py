"""Nuffic: an advice on a foreign diploma."""

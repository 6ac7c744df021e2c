"""Wissel: the national switch for lifelong learning. Each folder is one owner or one floor of the house."""

"""Folders of small files that are whole or absent, whatever happens to the machine."""

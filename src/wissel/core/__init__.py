"""Ids, moments, errors and tree arithmetic: what every room shares. No I/O, no clock, no chance of its own."""

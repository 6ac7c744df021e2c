"""Technique without a word of the domain: HTTP, SQL, telemetry."""

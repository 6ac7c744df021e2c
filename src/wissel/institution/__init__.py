"""What an institution runs: connector, student information system, vault, witness."""

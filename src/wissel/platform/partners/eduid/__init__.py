"""eduID: one student identity, made or linked by the remote-creation calls, and her pseudonym at an institution."""

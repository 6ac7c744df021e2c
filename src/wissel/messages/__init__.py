"""The language that all parties share: envelope, message types, signing, sealing, the afschrift. No I/O."""

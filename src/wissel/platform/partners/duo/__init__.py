"""DUO: identity by the BRP, the register of diplomas, and delivery to the register of enrolments."""

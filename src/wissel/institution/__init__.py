"""What an institution runs: a connector beside its student information system (SIS), and a vault of its own copies.

*connector* speaks with the platform for it; *sis* and *finance* are ports, with samples behind them; *vault* holds
its sealed afschriften and enforces their end dates; *witness* cosigns the platform's log. One connector may serve
several institutions of one supplier: each has keys, vault, books and a mandate of its own.
Invariants: what a message does and its id are committed together; the institution decides: a rule may admit, a
refusal is always a person's, on a ground; a message is kept until the afschrift with its receipt is in the vault.
"""

"""A payment service provider, played: mandates for direct debit (SEPA Core), confirmed at the payer's bank.

No public interface was to be followed, so this one is our invention, in the usual shape: create, follow the
link (or the bank's own app: here the played bank decides after a while, as the steering says), a webhook that
is a hint and no more, then fetch. Mandates are all it does here; it collects nothing and holds no money.
Invariants: one request id has one mandate for ever; a payer decides once, and
the creditor may cancel after that or before the order came; the webhook names no state.
"""

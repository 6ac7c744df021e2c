"""The institution's financial system, seen from the connector: a port apart from the SIS, and a sample behind it.

*Charge*: the fee that the institution stated for a registration. *Mandate*: the proof that it will be paid.
Amounts are integer cents of euro. Invariant: a change and the id under which it came are one transaction.
"""

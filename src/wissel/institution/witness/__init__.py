"""The institution as a witness of the platform's audit log (C2SP tlog-witness, served by the institution's door).

*Seen*: per log origin the largest tree head cosigned, kept in the institution's own file.
Invariants: what is seen is durable before the cosignature is given; a head that does not continue the one seen
is never cosigned, so no two parties can be shown different histories.
"""

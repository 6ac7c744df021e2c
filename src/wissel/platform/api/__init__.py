"""HTTP for portals (anybody's), institutions and partners.

Caller: the participant whose token a call bears. Access rule: what a route asks of its caller; a route without one
is refused. This room knows the rest of the platform only by the protocols in `ports`.
"""

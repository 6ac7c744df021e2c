"""Enrolment (inschrijven): a set of gates that run in parallel, a decision, and a proof of enrolment.

Gates: identity, prior education, additional requirements, study-choice check, language, residence, payment, decision.
Admitted is not enrolled: `ready` means that all gates hold, `registered` that the institution's proof of enrolment
went out and DUO's register took the delivery. No rule refuses: a refusal is the institution's, on a ground of the
closed table. Nothing lapses by itself: a deadline asks the institution. Invariant: who is registered has all gates
held. Read `story` for the judgements, `table` for the moves, `rules` for what changes by year.
"""

from wissel.platform.processes.enrolment.process import Enrolment

__all__ = ["Enrolment"]

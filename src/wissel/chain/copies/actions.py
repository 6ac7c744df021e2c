"""Checks and stores."""

from wissel.chain.copies.words import Copies, Stored
from wissel.core.clock import Clock
from wissel.infra.files.ports import Folder
from wissel.infra.http.proof import KeyOf, Proofs
from wissel.infra.http.strict import read_json


class Drawer:
    """One party's drawer. `url` is the address that proofs must name; `key_of` knows the platform's keys."""

    def __init__(self, folder: Folder, url: str, key_of: KeyOf, clock: Clock) -> None:
        self._folder = folder
        self._url = url
        self._proofs = Proofs(clock, key_of)

    def store(self, proof: str, body: bytes) -> Stored:
        """Store sealed copies; the first of an id stands. Raises ProofRefused or Unreadable: nothing is stored."""
        self._proofs.check(proof, method="POST", url=self._url, body=body)
        batch = read_json(body, Copies)
        for copy in batch.copies:
            self._folder.add(f"{copy.id}.jwe", copy.jwe.encode())
        return Stored(tuple(copy.id for copy in batch.copies))

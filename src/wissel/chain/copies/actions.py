"""Checks and stores."""

from collections import OrderedDict
from typing import Final

import msgspec

from wissel.chain.copies.rules import check_proof
from wissel.chain.copies.words import Copies, PlatformKeys, Stored
from wissel.chain.errors import Invalid, NotAllowed
from wissel.core.clock import Clock
from wissel.infra.files.ports import Folder

PROOFS_MAX: Final = 10_000  # remembered for replay; far more than one platform sends in five minutes


class Drawer:
    """One party's drawer. `url` is the address that proofs must name."""

    def __init__(self, folder: Folder, url: str, keys: PlatformKeys, clock: Clock) -> None:
        self._folder = folder
        self._url = url
        self._keys = keys
        self._clock = clock
        self._seen: OrderedDict[str, None] = OrderedDict()

    def store(self, proof: str, body: bytes) -> Stored:
        """Store sealed copies. Raises NotAllowed or Invalid; then nothing is stored."""
        known = check_proof(proof, self._keys(), url=self._url, body=body, now=self._clock.now())
        if known.jti in self._seen:
            raise NotAllowed("This Wissel-Proof was used before. Make a new one for each request.")
        try:
            batch = msgspec.json.decode(body, type=Copies)
        except msgspec.DecodeError as error:
            raise Invalid(f"These are not copies: {error}", field="/copies") from error
        for copy in batch.copies:
            self._folder.add(f"{copy.id}.jwe", copy.jwe.encode())
        self._seen[known.jti] = None
        if len(self._seen) > PROOFS_MAX:
            self._seen.popitem(last=False)
        return Stored(tuple(copy.id for copy in batch.copies))

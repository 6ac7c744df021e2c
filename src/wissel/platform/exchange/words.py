"""What crosses the exchange's threshold, and what it keeps sealed."""

import msgspec

from wissel.messages.envelope import Envelope, SenderProof


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits at the entrance. Counts unless the name says a unit."""

    body_bytes_max: int = 1_048_576
    running_processes_max: int = 1_000_000
    mail_per_receiver_max: int = 100_000
    offered_max: int = 100
    offered_bytes_max: int = 8_388_608
    authentication_age_s_max: int = 600
    clock_skew_s_max: int = 300
    files_waiting_max: int = 1_000  # of one sender, before the messages that name them
    files_waiting_bytes_max: int = 1_073_741_824
    parcel_days: int = 30  # after a process was settled, as long as its copies wait for a vault at most


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A message as it lies sealed under `post`; fields that travel apart lie beside it under `number`."""

    envelope: Envelope
    data: msgspec.Raw
    nonce: str
    sender: SenderProof
    acknowledgement: str
    acr: str = ""
    undelivered: str = ""


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """A party of a process as it lies sealed under `post`: where its copies go and the key they are sealed with.

    `sealer` is the dump of its Sealer (base64url): one ephemeral key per process and party. `pseudonyms` is who the
    learner is in the books of other parties, by their URN.
    """

    address: str
    token: str
    key: dict[str, str]
    sealer: str
    provider: str = ""
    pseudonyms: dict[str, str] = {}
    capability: str = ""


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """A copy as it lies sealed under `parcel`; of a file (`file` is its hash) the JWE lies in its own row.

    `until` is the last day on which its message may exist: whoever keeps the copy cannot read it there.
    """

    address: str
    token: str
    jwe: str
    until: str
    file: str = ""


class Capability(msgspec.Struct, frozen=True, kw_only=True):
    """What a delivery capability holds; the platform alone can open it and keeps no list of them."""

    holder: str
    purpose: str
    until: str
    address: str
    key: dict[str, str]
    token: str
    provider: str

"""A portal, played: it speaks for the learner and is a participant like anybody's portal, by the public API only.

`login` is the relying party (eduID twice: to know her, and to let her sign; DigiD for her number), `vault` reads
her profile and asks grants under the portal grant that she gave, `rules` makes payloads, `actions` do what she
asks at `/play/...`. The portal keeps a message until the process is decided, and of a learner only the pointer
to her vault. Its door is a stage: no browser and no screens, one call says what she would click.
"""

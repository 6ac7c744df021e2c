"""The drawer in which a played party keeps its afschriften, sealed as they came.

`POST /copies` takes up to 100 sealed copies from the platform and answers which are stored; the same id again
is stored already. The platform shows itself by `Wissel-Proof`. Append-only: nothing here changes or deletes.
"""

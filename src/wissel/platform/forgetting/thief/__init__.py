"""The thief: holds the platform's disk, key store included, and a back-up of its database, and tries everything.

It knows the formats and reads; it asks nothing of the running platform and changes nothing. The demo hands it to
the visitor and the tests use it as judge: of a forgotten process it must find nothing, of a running one something.
It leaves associated data aside where that holds it up: authentication protects nobody from being read.
"""

"""DigiD, played: a log-in that ends in a BSN for who is allowed to know it.

The real DigiD speaks SAML (and OpenID Connect behind brokers); this bridge is our invention in OpenID Connect's
shape: `sub` is sector code and number, `s00000000:<bsn>`, `acr` the level. Only test numbers exist here. Who has
no BSN cannot log in. It keeps no book.
"""

"""An OpenID Connect provider's core, shared by the played eduID and the played DigiD.

Authorization code flow with PKCE S256 (OpenID Connect Core 1.0; RFC 6749, 7636, 9207), confidential clients,
exact redirect addresses, codes that live a minute and work once. A played person is logged in at once: the
`login_hint` says who she is; without one a page lets the visitor choose. Codes and tokens live in memory only.
Who somebody is to a client, and with which assurance, says `ports.Identities`.
"""

"""What the doors of all played applications have in common.

`app` makes the Litestar application, `problems` says no as problem+json (RFC 9457), `keys` checks API keys and
Basic passwords, `answers` signs each answer with the application's own key. Bodies are limited; nothing is logged.
"""

"""The Python client that anybody may use: composes, signs, sends, pulls and settles messages."""

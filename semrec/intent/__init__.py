"""Parsing of requests: limits that become exact filters, and titles that are named.

Deterministic, English, learned from the catalogue: `learn_vocabulary` once per catalogue, then
`parse_intent` per text. What is stated as a limit but can't be answered is said, never guessed.
"""

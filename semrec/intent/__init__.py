"""What a request says in words: limits that become exact filters, and titles that it names.

Deterministic, English, learned from the catalogue: `learn_vocabulary` once per catalogue, then
`understand` per text. What is stated as a limit but can't be answered is said, never guessed.
"""

"""One inner product out of words, behaviour and popularity."""

"""Words matched as words: BM25 over the items' texts, a sparse source beside the vectors."""

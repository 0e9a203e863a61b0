"""``python -m semrec``."""

from semrec.cli import main

main()

"""Online experiments: who gets which arm, lists of two arms, and the analysis of their logs."""

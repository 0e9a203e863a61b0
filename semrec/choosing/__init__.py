"""What is chosen on validation: the behavioural model, its neighbours, the fill, the gate."""

"""From a dataset to an artifact: validation, selection of options, fine-tuning."""

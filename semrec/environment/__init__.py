"""What surrounds semrec on a machine: caches, optional packages, ONNX Runtime."""

"""The machine around semrec: caches, optional packages, ONNX Runtime."""

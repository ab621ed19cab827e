"""From torch to ONNX bundles: stages, exact rewrites, parity, metadata."""

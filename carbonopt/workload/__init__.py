"""Networks as loop nests: ONNX files and the shipped networks."""

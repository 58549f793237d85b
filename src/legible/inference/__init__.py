"""Inference with saved models: ONNX files as functions, without PyTorch."""

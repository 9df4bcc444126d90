"""Trained models in the formats of other programs: ONNX and BioImage.IO packages."""

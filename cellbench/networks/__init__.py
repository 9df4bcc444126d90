"""Networks: from an image to dense maps, one tensor for each named map. Plain PyTorch modules."""

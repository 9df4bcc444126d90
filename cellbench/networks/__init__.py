"""Networks: image to dense maps, plain torch modules. Each gives one tensor per named map."""

"""Networks: published checkpoint formats, exact folding, conventions, training, planted networks."""

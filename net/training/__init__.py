"""Training networks of the published architecture."""

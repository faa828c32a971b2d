"""One module per command, each with an attribute `command`."""

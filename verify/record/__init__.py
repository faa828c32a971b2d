"""What a run writes down: the certificate and the summary."""

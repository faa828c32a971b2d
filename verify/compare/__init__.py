"""Program and network side by side: levels of equivalence, interventions, and rival accounts."""

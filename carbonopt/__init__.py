"""carbonopt: trade speed, energy and carbon of AI accelerators."""

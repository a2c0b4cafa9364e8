"""Energy and latency of mapped layers and networks."""

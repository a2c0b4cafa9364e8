"""The carbon of a task from energy, time and area; it knows nothing of layers."""

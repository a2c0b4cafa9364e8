"""The YAML files of a user as typed objects."""

"""Published numbers as tables, each with its unit and source."""

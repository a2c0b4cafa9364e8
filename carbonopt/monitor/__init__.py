"""A run watched while it runs: mirrored to an Optuna study, shown by optuna-dashboard."""

"""A problem in the tongues of pymoo and Optuna."""

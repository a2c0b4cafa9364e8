"""The quality of compressed networks, what to compress first, and how far."""

"""Ask a real server again what was recorded, and tell what has changed in the contract."""

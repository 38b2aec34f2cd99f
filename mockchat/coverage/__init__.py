"""What of a profile has been met: items, what exchanges meet of them, how much that is."""

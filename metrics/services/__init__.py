"""What writes: atomic, after checking the right to do it."""

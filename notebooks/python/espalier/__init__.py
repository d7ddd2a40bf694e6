"""What the Espalier kernel brings to Python programs that run its notebooks. The kernel itself is Java."""

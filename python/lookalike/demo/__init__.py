"""The demonstration: all that the package does, on what it brings along."""

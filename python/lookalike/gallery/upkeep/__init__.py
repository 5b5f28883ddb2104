"""What is done to a gallery besides adding and searching: checks, moves, exports."""

"""Read the digits in pictures: find them, read them, and say how sure that is."""

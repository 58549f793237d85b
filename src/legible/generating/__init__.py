"""New digits, as arrays and as files."""

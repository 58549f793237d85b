"""Our own classifiers, made to learn quickly on two CPU cores."""

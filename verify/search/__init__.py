"""One question a file; searches suggest, they never prove, and they do not import each other."""

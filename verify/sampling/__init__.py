"""Random networks at scale: families, decisions, campaigns, statistics."""

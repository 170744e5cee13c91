"""`make bench`: speed and memory of the service, as ratios to a hand-written minimum measured in turn with it."""

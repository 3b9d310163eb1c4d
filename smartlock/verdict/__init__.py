"""Why did it not open? A verdict with its evidence, from what is known, and words for the guest."""

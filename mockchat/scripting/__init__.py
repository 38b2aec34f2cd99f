"""What a test writes: matchers, replies, faults, scripts, and the journal it reads."""

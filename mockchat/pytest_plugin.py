"""The pytest plugin; imports pytest alone, so that merely installed it costs a suite nothing."""

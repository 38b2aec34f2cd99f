"""Record what a real server answers, and write it down so that it can be served again."""

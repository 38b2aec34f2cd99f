"""Payloads made from the contract: values, completions, chunk streams."""

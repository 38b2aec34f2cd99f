"""Conformance: what was sent elsewhere, judged by the contract."""

"""Answers without a socket: transports for httpx and httpx2, and clients that are made of them."""

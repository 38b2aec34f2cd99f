"""A test double for OpenAI-style Chat Completions, driven by JSON Schema documents."""

"""The contract: schema documents plus the rules JSON Schema cannot say."""

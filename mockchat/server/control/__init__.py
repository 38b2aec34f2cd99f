"""See and steer a running server: the API under `/_mockchat`, described by its own document."""

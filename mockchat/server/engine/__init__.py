"""The engine for load: one thread, one event loop, a connection costs its bytes and no thread."""

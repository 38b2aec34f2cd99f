"""From a request to a delivery, and from a delivery to bytes on a connection."""

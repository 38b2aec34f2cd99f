"""What the tests of the gateway share: two services behind it."""

import asyncio
import os
from dataclasses import dataclass

import pytest

# Said before LiteLLM is imported, which downloads a table of prices otherwise.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

from gateway import Gateway, Service

from mockchat import Mockchat

MESSAGES = [{"role": "user", "content": "Hello?"}]


@dataclass
class Site:
    """Two services, and what a caller gets of the gateway before them."""

    first: Mockchat
    second: Mockchat
    retries: int = 0

    def complete(self, **options):
        """Return the completion."""
        return asyncio.run(self._gateway().complete(MESSAGES, **options))

    def stream(self, **options):
        """Return the text of a stream in pieces."""

        async def pieces():
            chunks = self._gateway().stream(MESSAGES, **options)
            return [chunk["choices"][0]["delta"].get("content") async for chunk in chunks]

        return [piece for piece in asyncio.run(pieces()) if piece]

    def _gateway(self):
        services = [
            Service(script.base_url, script.api_key) for script in (self.first, self.second)
        ]
        return Gateway(services, retries=self.retries)


@pytest.fixture
def site(mockchat_factory):
    """Return two services behind a gateway that does not retry."""
    return Site(mockchat_factory(), mockchat_factory())

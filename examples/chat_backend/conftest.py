"""What the tests of the chat share: a page that asks."""

import json

import pytest
from chat_backend import create_app
from starlette.testclient import TestClient


class Page:
    """Asks as a browser does, and reads the events."""

    def __init__(self, client):
        self._client = client

    def post(self, body, session="ada"):
        """Send a body and return the answer as it is."""
        return self._client.post(f"/sessions/{session}", content=body)

    def ask(self, question, session="ada"):
        """Return the events of an answer: pieces as text, then how it ended."""
        answer = self.post(json.dumps({"question": question}), session)
        *pieces, (ending, said) = map(_read, answer.text.removesuffix("\n\n").split("\n\n"))
        return [data["text"] for _, data in pieces], said.get("reason", ending)


def _read(event):
    name, data = event.split("\n")
    return name.removeprefix("event: "), json.loads(data.removeprefix("data: "))


@pytest.fixture
def page(mockchat):
    """Return a page whose back end does not retry."""
    with TestClient(create_app(retries=0)) as client:
        yield Page(client)

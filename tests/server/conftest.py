"""Live servers and raw connections that end with the test."""

import pytest
from doubles import FakeApp, RawClient

from mockchat.server.engine.server import EngineServer
from mockchat.server.framing import Limits
from mockchat.server.listening import Listening
from mockchat.server.werkzeug_server import LiveServer


@pytest.fixture(params=[LiveServer, EngineServer], ids=["werkzeug", "asyncio"])
def engine(request) -> type[Listening]:
    """Give each kind of server in turn."""
    return request.param


@pytest.fixture
def live(engine):
    """Start live servers over fake apps and stop them at the end."""
    servers = []

    def start(app=None, **limits) -> Listening:
        server = engine(FakeApp() if app is None else app, limits=Limits(**limits))
        servers.append(server)
        return server.start()

    yield start
    for server in servers:
        server.stop()


@pytest.fixture(name="connect")
def _connect():
    """Open raw connections to a server and close them at the end."""
    clients = []

    def connect(server: Listening) -> RawClient:
        clients.append(RawClient(server.port))
        return clients[-1]

    yield connect
    for client in clients:
        client.socket.close()


@pytest.fixture
def fake_app() -> FakeApp:
    """Give an app that answers everything alike."""
    return FakeApp()

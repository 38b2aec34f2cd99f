"""`mockchat.asgi:app` for ASGI servers, such as uvicorn; configured by variables: see `hosted`."""

from mockchat.hosted import application_of_environment
from mockchat.server.asgi import AsgiApp

app = AsgiApp(application_of_environment())

"""`mockchat.wsgi:app` for WSGI servers, such as gunicorn; configured by variables: see `hosted`."""

from mockchat.hosted import application_of_environment
from mockchat.server.wsgi import WsgiApp

app = WsgiApp(application_of_environment())

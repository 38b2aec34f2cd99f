"""The servers under load, each a process of its own.

Usage: targets.py NAME; prints "HOST PORT PATH", then answers each line on stdin with the CPU seconds
it has used, and ends with stdin.
"""

import json
import sys
import threading
import time

from werkzeug.serving import WSGIRequestHandler, make_server

from mockchat.contract.profile import load_profile
from mockchat.payloads.plans import by_word
from mockchat.scripting.script import Script
from mockchat.scripting.scripts import Scripts
from mockchat.server.app import App
from mockchat.server.settings import Settings
from mockchat.server.werkzeug_server import LiveServer

PATH = "/v1/chat/completions"
CHUNKS = 50
TEXT = " ".join(f"word{number}" for number in range(CHUNKS))


class Silent(WSGIRequestHandler):
    """Werkzeug's handler without a line on stderr for each request."""

    def log_request(self, *_):
        pass


def bare_app(environ, start_response):
    """Answer fixed bytes: what Werkzeug alone costs."""
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    if b'"stream": true' in body:
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        return iter(STREAM)
    start_response("200 OK", [("Content-Type", "application/json")])
    return [COMPLETION]


def completion():
    """Return a completion of the usual size."""
    return {
        "id": "chatcmpl-0123456789",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": TEXT, "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 8, "completion_tokens": CHUNKS, "total_tokens": 8 + CHUNKS},
    }


def chunk(text):
    """Return one event of a stream."""
    choice = {"index": 0, "delta": {"content": text}, "logprobs": None, "finish_reason": None}
    body = {**completion(), "object": "chat.completion.chunk", "choices": [choice], "usage": None}
    return f"data: {json.dumps(body)}\n\n".encode()


COMPLETION = json.dumps(completion(), indent=2).encode()
STREAM = [*(chunk(word + " ") for word in TEXT.split()), b"data: [DONE]\n\n"]


def bare():
    """Start the bare app."""
    server = make_server("127.0.0.1", 0, bare_app, threaded=True, request_handler=Silent)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.port


def mock(name):
    """Start mockchat with one stub that answers everything, or with none."""
    scripts = Scripts()
    if name.startswith("scripted"):
        script = Script()
        script.reply(TEXT, plan=by_word()).forever()
        scripts.open(script)
    app = App(Settings(profile=load_profile("openai"), unmatched="generate"), scripts)
    return LiveServer(app).start().port


def main(name):
    port = bare() if name.startswith("bare") else mock(name)
    print("127.0.0.1", port, PATH, flush=True)
    for _ in sys.stdin:
        print(time.process_time(), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])

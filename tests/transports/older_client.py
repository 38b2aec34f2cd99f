"""Ask by the openai package of another environment; as arguments, the folders mockchat is in."""

import asyncio
import sys

sys.path.extend(sys.argv[1:])

import openai

from mockchat import CutStream, MockServer

BODY = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}


async def ask(client):
    """Return what an async client is told."""
    completion = await client.chat.completions.create(**BODY)
    return completion.choices[0].message.content


def main():
    """Print the version, the HTTP library, two replies and the name of an exception."""
    with MockServer().script() as chat:
        chat.reply("Hello").times(2)
        chat.reply("Hello", fault=CutStream(after_chunks=1))
        client = chat.client()
        print(openai.__version__, type(chat.http_client()).__module__.partition(".")[0])
        print(client.chat.completions.create(**BODY).choices[0].message.content)
        print(asyncio.run(ask(chat.async_client())))
        try:
            list(client.chat.completions.create(stream=True, **BODY))
        except Exception as error:  # noqa: BLE001 - which one it is, is printed
            print(type(error).__name__)


main()

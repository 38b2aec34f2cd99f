"""A client for suites that are run inside a test."""

CLIENT = """
    import http.client, json, os
    from urllib.parse import urlsplit

    def ask(url=None, **members):
        url = urlsplit(url or os.environ["OPENAI_BASE_URL"])
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=10)
        body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **members}
        try:
            connection.request("POST", url.path + "/chat/completions", json.dumps(body),
                               {"content-type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()
"""
"""It asks with the standard library, and reads whatever comes."""

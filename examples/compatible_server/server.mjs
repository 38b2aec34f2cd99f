// An OpenAI-compatible server in front of another one: it adds a system prompt, and passes all the
// rest on as it is, errors and streams with their status and headers.
//
//     OPENAI_BASE_URL=… OPENAI_API_KEY=… node server.mjs [PORT]

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

import OpenAI, { APIConnectionError, APIError } from "openai";

const PROMPT = { role: "system", content: "You are the assistant of Acme. Be brief." };
const PASSED_ON = /^(content-type|retry-after(-ms)?|x-should-retry|x-request-id|x-ratelimit-.*|openai-.*)$/;
const LARGEST = 32 * 1024 * 1024;
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A failure of our own, in the form of the API. */
class Refusal extends Error {
  constructor(status, message, { type = "invalid_request_error", code = null } = {}) {
    super(message);
    this.status = status;
    this.error = { message, type, param: null, code };
  }
}

function send(response, status, body, headers = {}) {
  const own = { "content-type": "application/json", "x-request-id": randomUUID() };
  response.writeHead(status, { ...own, ...headers });
  response.end(JSON.stringify(body, null, 2) + "\n");
}

/** The fields of the upstream's answer that belong to the caller. */
function passedOn(headers) {
  return Object.fromEntries([...(headers ?? [])].filter(([name]) => PASSED_ON.test(name)));
}

/** Tell the caller what the upstream said, or that it said nothing. */
function sendError(response, problem) {
  if (problem instanceof Refusal) {
    send(response, problem.status, { error: problem.error });
  } else if (problem instanceof RangeError) {
    // V8 reads deeper JSON than it writes.
    sendError(response, new Refusal(400, "The body is nested too deeply."));
  } else if (problem instanceof APIError && problem.status && problem.error?.message) {
    const headers = { ...passedOn(problem.headers), "content-type": "application/json" };
    send(response, problem.status, { error: problem.error }, headers);
  } else {
    const reason = problem instanceof APIConnectionError ? "did not answer" : "broke off";
    const error = { message: `The upstream ${reason}.`, type: "server_error", param: null, code: null };
    send(response, 502, { error });
  }
}

async function bodyOf(request) {
  const parts = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > LARGEST) throw new Refusal(413, "The request is too large.");
    parts.push(part);
  }
  let body;
  try {
    body = JSON.parse(UTF8.decode(Buffer.concat(parts)));
  } catch {
    throw new Refusal(400, "We could not parse the JSON body of your request.");
  }
  if (body === null || typeof body !== "object") throw new Refusal(400, "The body must be an object.");
  return body;
}

/** The request as the upstream is sent it; what is wrong with it, the upstream shall say itself. */
function withPrompt(body) {
  if (!Array.isArray(body.messages) || body.messages.length === 0) return body;
  return { ...body, messages: [PROMPT, ...body.messages] };
}

function clientFor(request) {
  const key = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
  return new OpenAI({ apiKey: key ?? process.env.OPENAI_API_KEY, maxRetries: 0 });
}

async function complete(request, response) {
  const body = await bodyOf(request);
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  const options = { signal: gone.signal };
  const call = clientFor(request).chat.completions.create(withPrompt(body), options);
  const { data, response: upstream } = await call.withResponse();
  if (data === undefined) throw new Error("the answer has no body");
  if (body.stream !== true) {
    send(response, upstream.status, data, passedOn(upstream.headers));
    return;
  }
  await passChunksOn(data, response, upstream, options);
}

/** Write a stream as it comes; one that breaks off before its choices are finished must break off here. */
async function passChunksOn(data, response, upstream, options) {
  const unfinished = new Set();
  for await (const chunk of data) {
    if (!response.headersSent) response.writeHead(upstream.status, passedOn(upstream.headers));
    for (const choice of chunk.choices ?? []) {
      if (choice.finish_reason) unfinished.delete(choice.index);
      else unfinished.add(choice.index);
    }
    if (!response.write(`data: ${JSON.stringify(chunk)}\n\n`)) await once(response, "drain", options);
  }
  if (!response.headersSent || unfinished.size > 0) throw new Error("the stream is not whole");
  response.end("data: [DONE]\n\n");
}

async function models(request, response) {
  const { data, response: upstream } = await clientFor(request).models.list().withResponse();
  const list = { object: "list", data: data.data };
  send(response, upstream.status, list, passedOn(upstream.headers));
}

const ROUTES = {
  "/v1/chat/completions": { POST: complete },
  "/v1/models": { GET: models },
};

const server = createServer(async (request, response) => {
  try {
    const { pathname } = new URL(request.url, "http://server");
    const route = ROUTES[pathname];
    if (!route) throw new Refusal(404, `Invalid URL (${request.method} ${pathname})`);
    const handler = route[request.method];
    if (!handler) {
      response.setHeader("allow", Object.keys(route).join(", "));
      const details = { code: "method_not_supported" };
      throw new Refusal(405, `Not allowed to ${request.method} on ${pathname}.`, details);
    }
    await handler(request, response);
  } catch (problem) {
    // Without the last, empty piece of an HTTP body: the caller must not take it for whole.
    if (response.headersSent) response.socket?.destroySoon();
    else sendError(response, problem);
  }
});

server.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}/v1`);
});

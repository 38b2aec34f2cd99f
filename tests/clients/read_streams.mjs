// What openai for node reads, as data: the counterpart of stream_reading.py, same input, same output.
// Its one argument is the folder with node_modules.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const folder = resolve(process.argv[2]);
const { OpenAI } = createRequire(resolve(folder, "client.cjs"))("openai");
const installed = resolve(folder, "node_modules", "openai", "package.json");
const { version } = JSON.parse(readFileSync(installed, "utf8"));

const AT_ONCE = 48;
const TOOL = {
  type: "function",
  function: {
    name: "get_weather",
    strict: true,
    parameters: {
      type: "object",
      properties: { city: { type: "string" } },
      required: ["city"],
      additionalProperties: false,
    },
  },
};
const BODY = { model: "gpt-4o", messages: [{ role: "user", content: "hi" }] };
const REQUESTS = {
  stream: BODY,
  usage: { ...BODY, stream_options: { include_usage: true } },
  "tool calls": { ...BODY, tools: [TOOL] },
};

async function loop(client, occasion) {
  const stream = await client.chat.completions.create({ ...REQUESTS[occasion], stream: true });
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  const choices = chunks.flatMap((chunk) => chunk.choices ?? []);
  const calls = new Map();
  for (const choice of choices)
    for (const call of choice.delta.tool_calls ?? []) {
      const known = calls.get(String(call.index)) ?? ["", "", ""];
      calls.set(String(call.index), [
        known[0] || call.type || "",
        known[1] || call.function.name || "",
        known[2] + (call.function.arguments ?? ""),
      ]);
    }
  return {
    role: choices.map((choice) => choice.delta.role).find(Boolean) ?? null,
    text: choices.map((choice) => choice.delta.content ?? "").join(""),
    finish: choices.map((choice) => choice.finish_reason).find(Boolean) ?? null,
    calls: [...calls].map(([index, call]) => [index, ...call]).sort(),
    usage: chunks.some((chunk) => Boolean(chunk.usage)),
  };
}

async function helper(client, occasion) {
  return said(await client.chat.completions.stream(REQUESTS[occasion]).finalChatCompletion());
}

async function reply(client, occasion) {
  const { stream_options: _, ...asked } = REQUESTS[occasion];
  return said(await client.chat.completions.create(asked));
}

function said(completion) {
  const { message, finish_reason } = completion.choices[0];
  return {
    role: message.role ?? null,
    text: message.content ?? "",
    finish: finish_reason ?? null,
    calls: (message.tool_calls ?? []).map((call, place) => [
      String(place),
      call.type,
      call.function.name,
      call.function.arguments,
    ]),
    usage: Boolean(completion.usage),
  };
}

const READERS = { loop, helper, reply };

async function found(job, deadline) {
  const client = new OpenAI({ baseURL: job.url, apiKey: "any", timeout: job.timeout * 1000 });
  let timer;
  const given_up = new Promise((done) => {
    timer = setTimeout(() => done({ waits: true }), deadline * 1000);
  });
  const reading = READERS[job.reader](client, job.occasion).then(
    (read) => ({ read }),
    (error) => ({ raised: error.constructor.name }),
  );
  const first = await Promise.race([reading, given_up]);
  clearTimeout(timer);
  return first;
}

// An error that no promise of ours rejects with is the application's to catch: it ends a process.
process.on("unhandledRejection", (error) => {
  console.error("unhandled rejection", error);
  process.exit(1);
});

const asked = JSON.parse(readFileSync(0, "utf8"));
const results = new Array(asked.jobs.length);
let next = 0;
async function worker() {
  while (next < asked.jobs.length) {
    const place = next++;
    results[place] = await found(asked.jobs[place], asked.deadline);
  }
}
await Promise.all(Array.from({ length: AT_ONCE }, worker));
process.stdout.write(JSON.stringify({ client: `openai-node ${version}`, found: results }), () =>
  process.exit(0),
);

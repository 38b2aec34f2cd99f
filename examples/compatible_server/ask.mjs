// Ask a server as an application does: node ask.mjs BASE_URL REQUEST prints what came of it, as JSON.

import OpenAI from "openai";

const [baseURL, request] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: "any", maxRetries: 0 });
const asked = JSON.parse(request);
const said = {};
try {
  const answer = await client.chat.completions.create(asked);
  if (asked.stream) {
    said.pieces = [];
    for await (const chunk of answer) said.pieces.push(chunk.choices[0]?.delta.content);
  } else {
    said.text = answer.choices[0].message.content;
  }
} catch (problem) {
  said.error = problem.constructor.name;
  said.status = problem.status;
}
console.log(JSON.stringify(said));

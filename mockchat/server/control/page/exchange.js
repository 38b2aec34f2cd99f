// One exchange as a conversation: who said what, what is wrong where, and how the reply left.

import { block, count, node, opening, spelled } from "./nodes.js";
import { ending, timeline } from "./timeline.js";

/** Return what is shown of an exchange. */
export function exchange(told, { open, back, test }) {
  const { summary, violations } = told;
  const marks = new Map();
  for (const violation of violations) {
    const place = violation.place ?? "";
    marks.set(place, [...(marks.get(place) ?? []), violation]);
  }
  return [
    back,
    head(told),
    summary.unmatched ? reasons(told.exchange) : null,
    violations.length ? broken(violations) : null,
    conversation(told, marks),
    section("How it left", timeline(told.timeline, open)),
    asked(told, marks, open),
    remarks(told, open),
    wire(told.exchange, open),
    test,
  ].filter(Boolean);
}

function section(title, children, attributes = {}) {
  return node("section", attributes, node("h3", {}, title), children);
}

function head({ summary, timeline: times }) {
  const facts = [
    ["model", summary.model],
    ["answered by", summary.unmatched && summary.status >= 400 ? "" : answerer(summary)],
    ["ended", ending(times)],
    ["at", new Date(summary.received).toLocaleString()],
    ["fault", summary.fault],
    ["attempt", summary.attempt > 1 ? String(summary.attempt) : ""],
  ].filter(([, value]) => value);
  return node("div", { class: "head" },
    node("h2", { id: "exchange-title" }, `${summary.method} ${summary.path} `,
      node("span", { class: `status s${Math.floor(summary.status / 100)}` }, String(summary.status))),
    node("dl", { class: "short" }, facts.map(([name, value]) =>
      node("div", {}, node("dt", {}, name), node("dd", {}, spelled(value))))));
}

/** Return who answered, in words. */
export function answerer(summary) {
  if (summary.stub) return summary.stub;
  if (summary.unmatched) return summary.status < 400 ? "generated, no stub matched" : "no stub matched";
  return summary.status < 400 ? "generated" : "the server itself";
}

function reasons(line) {
  const mismatches = line.mismatches ?? [];
  const body = mismatches.length
    ? node("ol", { class: "reasons" }, mismatches.map((reason, place) => node("li", {},
      place ? null : node("strong", {}, "nearest: "), spelled(reason))))
    : node("p", {}, "There is no stub at all.");
  return section("Why no stub matched", body, { class: "bad" });
}

function broken(violations) {
  return section(count(violations.length, "violation"), node("ul", {}, violations.map((each) =>
    node("li", {}, node("code", {}, spelled(each.pointer || "/")), " ", spelled(each.message), " ",
      node("span", { class: "soft" }, each.rule)))), { class: "bad" });
}

function conversation(told, marks) {
  const said = [
    ...told.messages.map((message) => spoken(message, marks)),
    ...told.replies.map((message) => spoken(message, new Map(), "reply")),
  ];
  const failure = told.remarks.find((remark) => remark.title === "error");
  if (failure) {
    said.push(node("li", { class: "message failure" }, node("p", { class: "role" }, "error"),
      block(message(told) ?? failure.text)));
  }
  return said.length ? section("Conversation", node("ol", { class: "conversation" }, said)) : null;
}

function message({ exchange: { body }, summary }) {
  const said = body && typeof body === "object" ? body.error?.message : undefined;
  if (typeof said !== "string") return undefined;
  return summary.unmatched ? said.split("\n\n")[0] : said; // the reasons stand above
}

function spoken(told, marks, kind = "asked") {
  const known = ["system", "developer", "user", "assistant", "tool", "function"];
  const role = known.includes(told.role) ? told.role : "other";
  return node("li", { class: `message ${role} ${kind}` },
    node("p", { class: "role" }, spelled(told.role),
      kind === "reply" ? node("span", { class: "soft" }, " replied") : null,
      told.title ? node("span", { class: "soft" }, " · ", spelled(told.title)) : null),
    marked(told.pointer, marks),
    told.parts.length ? told.parts.map((part) => shown(part, marks)) : node("p", { class: "soft" }, "says nothing"));
}

function shown(part, marks) {
  const wrong = marked(part.pointer, marks);
  const titles = { call: `calls ${part.title}`, media: `${part.title} (not loaded)`, text: "" };
  const title = titles[part.kind] ?? (part.title || part.kind);
  return node("div", { class: `part ${part.kind}${wrong.length ? " wrong" : ""}` },
    title ? node("p", { class: "title" }, spelled(title)) : null,
    block(part.text, { code: ["call", "data"].includes(part.kind) }),
    wrong);
}

function marked(pointer, marks) {
  return (marks.get(pointer) ?? []).map((each) =>
    node("p", { class: "mark" }, node("strong", {}, "✗ "), spelled(each.message)));
}

function asked(told, marks, open) {
  if (!told.options.length) return null;
  const wrong = told.options.filter((part) => marks.has(part.pointer));
  const rest = told.options.filter((part) => !marks.has(part.pointer));
  return section("Asked for", [
    wrong.map((part) => shown(part, marks)),
    rest.length ? opening("options", rest.map((part) => part.title).join(", "),
      () => rest.map((part) => shown(part, marks)), open) : null,
  ]);
}

function remarks(told, open) {
  if (!told.remarks.length) return null;
  return section("Beside the reply", opening("remarks", told.remarks.map((part) => part.title || part.kind).join(", "),
    () => told.remarks.map((part) => shown(part, new Map())), open));
}

function wire(line, open) {
  const fields = (pairs) => (pairs ?? []).map(([name, value]) => `${name}: ${value}`).join("\n");
  const text = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));
  return section("As sent", [
    opening("request", "request", () => block(`${fields(line.headers)}\n\n${text(line.request)}`, { code: true }), open),
    opening("reply", "reply", () => block(`${fields(line.reply_headers)}\n\n${text(line.body)}`, { code: true }), open),
  ]);
}

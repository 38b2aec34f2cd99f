// When the parts of a reply left, drawn: one box for each send, on an axis from the request on.

import { count, drawn, node, opening, spelled, time } from "./nodes.js";

const MOST_ROWS = 300;

/** Return the picture, what it says in words, and the table behind it. */
export function timeline(told, open) {
  const { sends } = told;
  const last = sends.length ? sends[sends.length - 1].at : 0;
  const end = Math.max(told.finished ?? 0, last, told.answered, 0.1);
  return [
    picture(told, end),
    node("div", { class: "axis", "aria-hidden": "true" },
      node("span", {}, "request"), node("span", {}, time(end))),
    node("p", { class: "facts" }, words(told)),
    sends.length > 1 || sends.some((send) => send.events > 1)
      ? opening("sends", "each send", () => table(sends), open) : null,
  ];
}

function words(told) {
  const events = told.sends.reduce((sum, send) => sum + send.events, 0);
  const said = [`first byte after ${time(told.first)}`];
  if (told.sends.length > 1) said.push(`longest gap ${time(told.longest_gap)}`);
  if (told.finished !== null) said.push(`over after ${time(told.finished)}`);
  said.push(events ? `${count(events, "event")} in ${count(told.sends.length, "send")}`
    : count(told.sends.length, "send"));
  const unsent = told.unsent ? `, ${count(told.unsent, "write")} not sent` : "";
  return `${said.join(" · ")} · ${ending(told)}${unsent}`;
}

/** Return how it ended, in words. */
export function ending(told) {
  if (told.outcome === "pending") return "on its way";
  if (told.outcome !== "delivered") return told.outcome;
  return { complete: "complete", cut: "cut on purpose", reset: "reset on purpose" }[told.ending];
}

function picture(told, end) {
  const at = (moment) => `${((moment / end) * 98 + 0.5).toFixed(2)}%`;
  const first = told.first ?? end;
  const isBroken = told.ending !== "complete" || ["client left", "failed"].includes(told.outcome);
  const svg = drawn("svg", { class: "timeline", width: "100%", height: 48, role: "img", "aria-label": words(told) },
    drawn("line", { class: "wait", x1: at(0), x2: at(first), y1: 24, y2: 24 }),
    drawn("line", { class: "run", x1: at(first), x2: at(told.finished ?? end), y1: 24, y2: 24 }),
    drawn("rect", { class: "begin", x: at(0), y: 12, width: 3, height: 24 }));
  for (const send of told.sends) {
    const high = Math.min(32, 16 + 2 * send.events);
    svg.append(drawn("rect", { class: "send", x: at(send.at), y: 24 - high / 2, width: 5, height: high, rx: 1 },
      drawn("title", {}, `${time(send.at)}: ${send.words.join(" | ") || count(send.bytes, "byte")}`)));
  }
  if (isBroken) {
    const x = at(Math.max(told.finished ?? 0, told.sends.length ? told.sends[told.sends.length - 1].at : 0));
    svg.append(drawn("rect", { class: "cut", x, y: 2, width: 4, height: 44 },
      drawn("title", {}, ending(told))));
  }
  return svg;
}

function table(sends) {
  const rows = sends.slice(0, MOST_ROWS).map((send, place) => node("tr", {},
    node("td", { class: "number" }, time(send.at)),
    node("td", { class: "number" }, place ? `+${time(send.at - sends[place - 1].at)}` : ""),
    node("td", { class: "number" }, String(send.bytes)),
    node("td", {}, ...send.words.flatMap((word, at) => [at ? " | " : "", spelled(word)]),
      send.events > send.words.length && send.words.length ? ` … ${count(send.events, "event")}` : "")));
  const head = node("tr", {}, ["after", "gap", "bytes", "what"].map((word) => node("th", { scope: "col" }, word)));
  const left = sends.length - MOST_ROWS;
  return [
    node("div", { class: "wide", tabindex: 0, role: "region", "aria-label": "Each send" },
      node("table", {}, node("thead", {}, head), node("tbody", {}, rows))),
    left > 0 ? node("p", { class: "soft" }, `and ${count(left, "send")} more`) : null,
  ].filter(Boolean);
}

// The live page: asks the control API twice a second what is new, and shows it.

import { answerer, exchange } from "./exchange.js";
import { block, count, node, opening, spelled } from "./nodes.js";

const EVERY = 500;
const PATIENCE = 5000;
const MOST_ROWS = 1000;
const MOST_STUBS = 200;
const MOST_OPEN = 200;
const STUBS_EVERY = 5;
const KEY = "mockchat-control-key";

const at = (id) => document.getElementById(id);
const list = at("requests");
const rows = new Map(); // index to { summary, element, text }
const open = new Set(); // which parts of an exchange are open
const state = { after: -1, session: "", chosen: null, paused: false, round: 0, isFirst: true, isLost: false };

class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function ask(path, { method = "GET", text = false } = {}) {
  const headers = {};
  const key = sessionStorage.getItem(KEY);
  if (key) headers.authorization = `Bearer ${key}`;
  if (state.session) headers["x-mockchat-session"] = state.session;
  const answer = await fetch(path, { method, headers, cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
  if (answer.status === 204) return null;
  if (answer.ok) return text ? answer.text() : answer.json();
  const told = await answer.json().catch(() => ({}));
  throw new Refused(answer.status, told.error?.message ?? `status ${answer.status}`);
}

// ---- polling

async function look() {
  const session = state.session;
  const waiting = [...rows.values()].filter((row) => row.summary.outcome === "pending");
  const query = new URLSearchParams({ after: state.after, limit: MOST_ROWS });
  if (waiting.length) {
    query.set("open", waiting.slice(0, MOST_OPEN).map((row) => row.summary.index).join(","));
  }
  const told = await ask(`overview?${query}`);
  if (session !== state.session) return;
  take(told);
  if (told.exchanges.length || state.round % STUBS_EVERY === 0) await showStubs(told.stubs);
  state.round += 1;
}

async function watch() {
  if (!state.paused && document.visibilityState === "visible") {
    try {
      await look();
      connected();
    } catch (problem) {
      failed(problem);
    }
  }
  setTimeout(watch, EVERY);
}

function connected() {
  at("ask").hidden = true;
  document.querySelector("main").hidden = false;
  say(state.paused ? "paused" : "live");
}

function failed(problem) {
  Object.assign(state, { after: -1, isLost: true }); // what comes next may be another server
  if (problem instanceof Refused && problem.status === 401) {
    if (at("ask").hidden) {
      if (sessionStorage.getItem(KEY)) at("wrong").textContent = "That was not the key.";
      sessionStorage.removeItem(KEY);
      document.querySelector("main").hidden = true;
      at("ask").hidden = false;
      at("key").focus();
    }
    say("the key is missing");
  } else if (problem instanceof Refused) say(problem.message);
  else say("the server does not answer; trying again");
}

function say(words) {
  if (at("state").textContent !== words) at("state").textContent = words;
}

// ---- the list

function take(told) {
  const gone = [...rows.keys()].filter((index) => told.first === null || index < told.first);
  const isOther = told.newest < state.after;
  const there = new Set(told.exchanges.map((summary) => summary.index));
  if (isOther) gone.push(...rows.keys());
  else if (state.isLost) gone.push(...[...rows.keys()].filter((index) => !there.has(index)));
  state.isLost = false;
  for (const index of gone) drop(index);
  if (isOther) state.after = -1;
  const fresh = [];
  for (const summary of told.exchanges) {
    if (!rows.has(summary.index)) fresh.push(summary);
    show(summary);
    state.after = Math.max(state.after, summary.index);
  }
  for (const index of [...rows.keys()].slice(0, Math.max(0, rows.size - MOST_ROWS))) drop(index);
  tell(fresh);
  sessions(told.sessions);
  if (gone.length || fresh.length) filter();
  const chosen = rows.get(state.chosen);
  if (chosen && told.exchanges.some((each) => each.index === state.chosen)) showExchange();
  state.isFirst = false;
}

function drop(index) {
  rows.get(index)?.element.remove();
  rows.delete(index);
  if (state.chosen === index) leave();
}

function show(summary) {
  const known = rows.get(summary.index);
  const element = row(summary);
  const text = [summary.method, summary.path, summary.model, summary.said, summary.replied, summary.status,
    summary.outcome, summary.fault ?? "", answerer(summary)].join(" ").toLowerCase();
  if (known) {
    const hasFocus = known.element === document.activeElement;
    known.element.replaceWith(element);
    if (hasFocus) element.focus();
  } else {
    list.prepend(element);
  }
  rows.set(summary.index, { summary, element, text });
  mark(element, summary.index === state.chosen);
}

function row(summary) {
  const flags = [];
  const flag = (kind, words) => flags.push(node("span", { class: `flag ${kind}` }, words));
  if (summary.unmatched) flag("bad", "no stub matched");
  if (summary.violations) flag("bad", count(summary.violations, "violation"));
  if (summary.fault) flag("note", spelled(summary.fault));
  if (summary.outcome === "pending") flag("busy", "on its way");
  else if (summary.outcome !== "delivered") flag("note", summary.outcome);
  if (summary.attempt > 1) flag("note", `attempt ${summary.attempt}`);
  if (summary.stream) flag("plain", "stream");
  if (summary.tools) flag("plain", "tool call");
  const clock = new Date(summary.received).toLocaleTimeString("en-GB");
  const what = summary.said || `${summary.method} ${summary.path}`;
  return node("li", { role: "option", id: `request-${summary.index}`, tabindex: -1, "data-index": summary.index },
    node("span", { class: "line" }, node("span", { class: `status s${Math.floor(summary.status / 100)}` }, String(summary.status)),
      node("span", { class: "model" }, spelled(summary.model || summary.path)),
      node("time", { class: "soft" }, clock)),
    node("span", { class: "said" }, spelled(what)),
    summary.replied ? node("span", { class: "replied" }, "→ ", spelled(summary.replied)) : null,
    node("span", { class: "flags" }, flags,
      summary.unmatched ? null : node("span", { class: "soft" }, spelled(answerer(summary)))));
}

function tell(fresh) {
  if (state.isFirst || !fresh.length) return;
  const last = fresh[fresh.length - 1];
  const words = last.unmatched ? ", no stub matched" : last.violations ? `, ${count(last.violations, "violation")}` : "";
  at("told").textContent = fresh.length > 1
    ? `${fresh.length} new requests`
    : `New request: ${last.said || last.path}, status ${last.status}${words}`;
}

const filters = {
  "": () => true,
  ok: (summary) => summary.status < 400,
  refused: (summary) => summary.status >= 400,
  unmatched: (summary) => summary.unmatched,
  violations: (summary) => summary.violations > 0,
  broken: (summary) => summary.ending !== "complete" || ["client left", "failed"].includes(summary.outcome),
};

function filter() {
  const words = at("words").value.toLowerCase().split(/\s+/).filter(Boolean);
  const isWanted = filters[at("only").value];
  let shown = 0;
  for (const { summary, element, text } of rows.values()) {
    element.hidden = !(isWanted(summary) && words.every((word) => text.includes(word)));
    shown += element.hidden ? 0 : 1;
  }
  at("count").textContent = shown === rows.size ? `${rows.size}` : `${shown} of ${rows.size}`;
  at("none").hidden = shown > 0;
  at("none").textContent = rows.size ? "None of them is like that." : "None yet. They appear here as they come.";
  list.hidden = shown === 0;
  reachable();
}

/** Let Tab reach one row: the chosen one, or the first. */
function reachable() {
  const chosen = rows.get(state.chosen)?.element;
  const wanted = chosen && !chosen.hidden ? chosen : list.querySelector("li:not([hidden])");
  for (const element of list.querySelectorAll("li[tabindex='0']")) element.tabIndex = -1;
  if (wanted) wanted.tabIndex = 0;
}

function mark(element, isChosen) {
  element.setAttribute("aria-selected", String(isChosen));
  if (isChosen) reachable();
}

// ---- one exchange

function choose(index, { focus = false } = {}) {
  const before = rows.get(state.chosen);
  if (before) mark(before.element, false);
  state.chosen = index;
  const row = rows.get(index);
  if (!row) return;
  mark(row.element, true);
  if (focus) row.element.focus();
  remember();
  showExchange();
}

function leave() {
  const before = rows.get(state.chosen);
  if (before) mark(before.element, false);
  state.chosen = null;
  document.body.classList.remove("reading");
  at("exchange").replaceChildren(node("h2", { id: "exchange-title" }, "No request chosen"),
    node("p", { class: "soft" }, "Choose one: ↑ and ↓ walk along the list, Enter goes to what it says, Escape comes back."));
  remember();
  reachable();
}

async function showExchange() {
  const index = state.chosen;
  try {
    const told = await ask(`journal/${index}`);
    if (index !== state.chosen) return;
    const back = node("button", { type: "button", class: "back", click: () => back_() }, "← all requests");
    const hasFocus = at("exchange").contains(document.activeElement) && document.activeElement !== at("exchange");
    at("exchange").replaceChildren(...exchange(told, { open, back, test: test(index) }));
    if (hasFocus) at("exchange").focus();
    document.body.classList.add("reading");
  } catch (problem) {
    if (index === state.chosen) say(problem.message);
  }
}

function back_() {
  const row = rows.get(state.chosen);
  document.body.classList.remove("reading");
  row?.element.focus();
}

function test(index) {
  return node("section", {}, node("h3", {}, "As a test"),
    opening("test", "the same request in a test in Python", () => {
      const place = node("div", {}, node("p", { class: "soft" }, "asking …"));
      ask(`journal/${index}/test`, { text: true }).then(
        (text) => place.replaceChildren(copying(text), block(text, { code: true })),
        (problem) => place.replaceChildren(node("p", {}, problem.message)),
      );
      return place;
    }, open));
}

function copying(text) {
  const button = node("button", { type: "button" }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      // Only pages of this machine, or of HTTPS, may write there.
      getSelection().selectAllChildren(button.nextElementSibling);
      button.textContent = "Selected: press Ctrl+C";
    }
  });
  return button;
}

// ---- stubs and sessions

async function showStubs(total) {
  const { stubs } = await ask(`stubs?limit=${MOST_STUBS}`);
  at("stub-count").textContent = String(total);
  const items = stubs.map((stub) => node("li", { class: stub.left === 0 ? "used" : "" },
    node("span", { class: "line" }, node("span", { class: "model" }, spelled(stub.name)),
      node("span", { class: stub.left === 0 ? "flag plain" : "flag good" },
        stub.left === null ? "without end" : stub.left === 0 ? "used up" : `${stub.left} left`)),
    node("span", { class: "soft" }, stub.when ? spelled(stub.when) : "any request", ` · ${stub.sent} sent`)));
  if (total > stubs.length) items.push(node("li", { class: "soft" }, `and ${total - stubs.length} more`));
  if (!total) items.push(node("li", { class: "soft" }, "None: what is asked is made up, or refused."));
  at("stubs").replaceChildren(...items);
}

function sessions(names) {
  const select = at("session");
  const known = new Set([...select.options].map((option) => option.value));
  for (const name of [...names].reverse()) {
    if (!known.has(name)) select.append(node("option", { value: name }, name));
  }
}

function enter(session) {
  for (const index of [...rows.keys()]) drop(index);
  Object.assign(state, { after: -1, session, round: 0, isFirst: true });
  leave();
  filter();
}

// ---- where one is, kept in the address

function remember() {
  const place = new URLSearchParams();
  if (state.session) place.set("session", state.session);
  if (state.chosen !== null) place.set("request", state.chosen);
  history.replaceState(null, "", `${location.pathname}${place.size ? `#${place}` : ""}`);
}

function recall() {
  const place = new URLSearchParams(location.hash.slice(1));
  state.session = place.get("session") ?? "";
  if (state.session) {
    sessions([state.session]);
    at("session").value = state.session;
  }
  const index = place.get("request");
  return index !== null && /^\d+$/.test(index) ? Number(index) : null;
}

// ---- hands

function step(from, by) {
  let element = from;
  do element = by > 0 ? element.nextElementSibling : element.previousElementSibling;
  while (element && element.hidden);
  return element;
}

list.addEventListener("click", (event) => {
  const element = event.target.closest("li");
  if (element) choose(Number(element.dataset.index), { focus: true });
});

list.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const here = event.target.closest("li");
  const shown = [...list.querySelectorAll("li:not([hidden])")];
  const wanted = {
    ArrowDown: () => (here ? step(here, 1) : shown[0]),
    ArrowUp: () => (here ? step(here, -1) : shown[0]),
    Home: () => shown[0],
    End: () => shown[shown.length - 1],
  }[event.key];
  if (wanted) {
    event.preventDefault();
    const element = wanted();
    if (element) choose(Number(element.dataset.index), { focus: true });
  } else if (here && (event.key === "Enter" || event.key === " ")) {
    event.preventDefault();
    choose(Number(here.dataset.index));
    at("exchange").focus();
  }
});

at("exchange").addEventListener("keydown", (event) => {
  if (event.key === "Escape") back_();
});
at("words").addEventListener("input", filter);
at("only").addEventListener("change", filter);
at("session").addEventListener("change", () => enter(at("session").value));
at("pause").addEventListener("click", () => {
  state.paused = !state.paused;
  at("pause").setAttribute("aria-pressed", String(state.paused));
  say(state.paused ? "paused" : "live");
});
at("clear").addEventListener("click", () => ask("journal", { method: "DELETE" }).then(look, failed));
at("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEY, at("key").value);
  at("key").value = "";
  at("ask").hidden = true;
});

const recalled = recall();
filter();
watch().then(() => { if (rows.has(recalled)) choose(recalled); });

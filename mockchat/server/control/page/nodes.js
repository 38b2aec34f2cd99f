// Elements made of text: nothing that came over the wire is ever read as HTML.

const SVG = "http://www.w3.org/2000/svg";
const LONGEST = 4000;
// What cannot be seen, or turns what is seen around; line ends and tabs are meant.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;
const PLAIN = new Set(["\n", "\t", "\u200d"]);

/** Return an element with attributes and children; texts among them stay texts. */
export function node(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** The same for SVG. */
export function drawn(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

/** Return a text with what nobody can see written out: `\u2028`, `\x00`. */
export function spelled(text) {
  const parts = document.createDocumentFragment();
  let start = 0;
  for (const found of text.matchAll(UNSEEN)) {
    if (PLAIN.has(found[0])) continue;
    parts.append(text.slice(start, found.index), node("span", { class: "byte" }, written(found[0])));
    start = found.index + found[0].length;
  }
  parts.append(text.slice(start));
  return parts;
}

function written(character) {
  const code = character.codePointAt(0);
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
  if (code < 0x10000) return `\\u${code.toString(16).padStart(4, "0")}`;
  return `\\U${code.toString(16).padStart(8, "0")}`;
}

/** Return a block of text, cut where it is long, with a button that shows all of it. */
export function block(text, { code = false } = {}) {
  const body = node(code ? "pre" : "div", { class: "said" });
  if (text.length <= LONGEST) {
    body.append(spelled(text));
    return body;
  }
  let end = LONGEST;
  if (/[\uD800-\uDBFF]/.test(text[end - 1])) end -= 1;
  body.append(spelled(text.slice(0, end)), "…");
  const button = node("button", { type: "button", class: "more" },
    `show all ${text.length.toLocaleString("en")} characters`);
  button.addEventListener("click", () => {
    body.replaceChildren(spelled(text));
    button.remove();
    body.tabIndex = -1;
    body.focus();
  });
  return node("div", {}, body, button);
}

/** Return a part that opens; it stays open, or closed, when what it is in is shown again. */
export function opening(key, title, fill, open) {
  const element = node("details", {}, node("summary", {}, title));
  const show = () => { if (element.childElementCount === 1) element.append(...[fill()].flat(Infinity)); };
  if (open.has(key)) {
    element.open = true;
    show();
  }
  element.addEventListener("toggle", () => {
    open[element.open ? "add" : "delete"](key);
    if (element.open) show();
  });
  return element;
}

/** Return a number of milliseconds as people say it. */
export function time(milliseconds) {
  if (milliseconds === null || milliseconds === undefined) return "not yet";
  if (milliseconds >= 10000) return `${(milliseconds / 1000).toFixed(1)} s`;
  if (milliseconds >= 1000) return `${(milliseconds / 1000).toFixed(2)} s`;
  return `${milliseconds >= 10 ? Math.round(milliseconds) : Number(milliseconds.toFixed(1))} ms`;
}

/** Return a count with its noun. */
export function count(number, noun, nouns = `${noun}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? noun : nouns}`;
}

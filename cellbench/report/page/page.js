"use strict";
// Texts are inserted only as textContent, so that a name cannot become markup.

document.documentElement.classList.add("js");
const byId = (id) => document.getElementById(id);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function draw(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// ---- Tables: sorting and filtering

function keyOf(row, column, kind) {
  const cell = row.cells[column];
  const key = cell.dataset.key ?? (kind === "text" ? cell.textContent : undefined);
  return kind === "number" && key !== undefined ? Number(key) : key;
}

function sortTable(table, heading) {
  const column = heading.cellIndex;
  const kind = heading.dataset.sort;
  const first = "high" in heading.dataset ? "descending" : "ascending";
  const second = first === "ascending" ? "descending" : "ascending";
  const order = heading.getAttribute("aria-sort") === first ? second : first;
  for (const other of all("th[aria-sort]", table)) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", order);
  const sign = order === "ascending" ? 1 : -1;
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const compare = (a, b) => {
    if (a === undefined || b === undefined) return (a === undefined) - (b === undefined); // last
    return sign * (kind === "number" ? a - b : collator.compare(a, b));
  };
  const body = table.tBodies[0];
  const keyed = [...body.rows].map((row) => [keyOf(row, column, kind), row]);
  body.append(...keyed.sort((a, b) => compare(a[0], b[0])).map((pair) => pair[1]));
}

for (const table of all("table.sortable")) {
  const headings = all("th[data-sort]", table);
  for (const heading of headings) {
    heading.querySelector("button").addEventListener("click", () => sortTable(table, heading));
  }
  if (table.tBodies[0].rows[0]?.cells[0].dataset.key) headings[0].setAttribute("aria-sort", "ascending");
}

function filterTable(field) {
  const wanted = field.value.trim().toLocaleLowerCase().split(/\s+/u);
  const rows = [...byId(field.dataset.filters).tBodies[0].rows];
  let shown = 0;
  for (const row of rows) {
    const text = (row.closest(".leaderboard") ? row.querySelector("th") : row).textContent.toLocaleLowerCase();
    row.hidden = !wanted.every((word) => text.includes(word));
    shown += !row.hidden;
  }
  const message = field.value.trim() ? `${shown} of ${rows.length} shown` : "";
  field.parentElement.querySelector("output").textContent = message;
}

for (const field of all("input[data-filters]")) {
  field.addEventListener("input", () => filterTable(field));
}

// ---- Tabs, as the ARIA Authoring Practices describe them

const tabs = all('[role="tab"]');

function showTab(chosen, focus = false) {
  for (const tab of tabs) {
    const active = tab === chosen;
    tab.setAttribute("aria-selected", active);
    tab.tabIndex = active ? 0 : -1;
    byId(tab.getAttribute("aria-controls")).hidden = !active;
  }
  if (focus) chosen.focus();
}

for (const [place, tab] of tabs.entries()) {
  tab.addEventListener("click", () => showTab(tab));
  tab.addEventListener("keydown", (event) => {
    const last = tabs.length - 1;
    const next = { ArrowRight: place === last ? 0 : place + 1, ArrowLeft: place || tabs.length, Home: 0, End: last }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    showTab(tabs[event.key === "ArrowLeft" ? next - 1 : next], true);
  });
}
if (tabs.length) showTab(tabs[0]);

// ---- Enlarging: a picture opens at a size at which it can be read, and can be scrolled and zoomed

const dialog = byId("enlarged");
const view = byId("enlarged-body");
const LARGEST_WIDTH = 12000;
let enlarged; // the picture in the dialog

function setWidth(width) {
  const before = enlarged.getBoundingClientRect().width || 1;
  const centre = [view.scrollLeft + view.clientWidth / 2, view.scrollTop + view.clientHeight / 2];
  const after = Math.min(Math.max(width, 100), LARGEST_WIDTH);
  enlarged.style.width = `${after}px`;
  view.scrollLeft = (centre[0] * after) / before - view.clientWidth / 2;
  view.scrollTop = (centre[1] * after) / before - view.clientHeight / 2;
}

function enlarge(title, picture, width, ...words) {
  byId("enlarged-title").textContent = title;
  byId("enlarged-words").replaceChildren(...words);
  view.replaceChildren(picture);
  enlarged = picture;
  dialog.showModal();
  setWidth(width(view));
  view.scrollTo(0, 0);
  view.focus();
}

const zoom = (factor) => setWidth(enlarged.getBoundingClientRect().width * factor);
byId("zoom-in").addEventListener("click", () => zoom(1.5));
byId("zoom-out").addEventListener("click", () => zoom(1 / 1.5));
view.addEventListener("keydown", (event) => {
  if (event.key === "+" || event.key === "-") zoom(event.key === "+" ? 1.5 : 1 / 1.5);
});
byId("enlarged-close").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
dialog.addEventListener("close", () => byId("kinds-home")?.append(byId("kinds")));

for (const figure of all(".figures figure")) {
  const image = figure.querySelector("img");
  const title = figure.querySelector("h3, h4").textContent;
  const natural = Number(image.getAttribute("width"));
  figure.querySelector("button").addEventListener("click", () => {
    const copy = make("img", { src: image.src, alt: image.alt, class: "drawing" });
    enlarge(title, copy, (view) => Math.max(natural, Math.min(view.clientWidth, 1.75 * natural)));
  });
  figure.querySelector("a.embedded").href = image.src; // can be saved without the board's folder
}

addEventListener("beforeprint", () => all("details").forEach((part) => (part.open = true)));

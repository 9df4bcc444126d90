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

// ---- Tables: sorting, filters, and which columns are shown

const FACETS = new Map([["modality", "Modality"], ["licence", "Licence"], ["trained_on", "Trained on"]]);
const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
const headingsOf = (table) => all("thead th", table);
const rowsOf = (table) => [...table.tBodies[0].rows];

function keyOf(row, column, kind) {
  const cell = row.cells[column];
  const key = cell.dataset.key ?? (kind === "text" ? cell.textContent : undefined);
  return kind === "number" && key !== undefined ? Number(key) : key;
}

function sortTable(table, heading, order) {
  const column = heading.cellIndex;
  const kind = heading.dataset.sort;
  for (const other of all("th[aria-sort]", table)) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", order);
  const sign = order === "ascending" ? 1 : -1;
  const compare = (a, b) => {
    if (a === undefined || b === undefined) return (a === undefined) - (b === undefined); // last
    return sign * (kind === "number" ? a - b : collator.compare(a, b));
  };
  const keyed = rowsOf(table).map((row) => [keyOf(row, column, kind), row]);
  table.tBodies[0].append(...keyed.sort((a, b) => compare(a[0], b[0])).map((pair) => pair[1]));
}

function nextOrder(heading) {
  const orders = "high" in heading.dataset ? ["descending", "ascending"] : ["ascending", "descending"];
  return heading.getAttribute("aria-sort") === orders[0] ? orders[1] : orders[0];
}

function showColumn(table, heading, shown) {
  heading.hidden = !shown;
  for (const row of rowsOf(table)) row.cells[heading.cellIndex].hidden = !shown;
}

function facetsOf(row) {
  return new Map(Object.entries(JSON.parse(row.dataset.facets ?? "{}")));
}

// A choice is a value, "!" and a value that must not be stated, or "!" alone: nothing is stated.
function passes(stated, choice) {
  if (choice === "!") return !stated.length;
  return stated.includes(choice) || (choice[0] === "!" && !stated.includes(choice.slice(1)));
}

function filterTable(field) {
  const wanted = field.value.trim().toLocaleLowerCase().split(/\s+/u);
  const chosen = facetFields(field).filter((one) => one.value).map((one) => [one.dataset.facet, one.value]);
  const rows = rowsOf(byId(field.dataset.filters));
  let shown = 0;
  for (const row of rows) {
    const text = (row.closest(".leaderboard") ? row.querySelector("th") : row).textContent.toLocaleLowerCase();
    const facets = facetsOf(row);
    const kept = chosen.every(([facet, choice]) => passes(facets.get(facet) ?? [], choice));
    row.hidden = !kept || !wanted.every((word) => text.includes(word));
    shown += !row.hidden;
  }
  const message = field.value.trim() || chosen.length ? `${shown} of ${rows.length} shown` : "";
  field.parentElement.querySelector("output").textContent = message;
}

// ---- The controls above a table; without scripts there are none, and the whole table is shown

const facetFields = (field) => all("select[data-facet]", field.parentElement);
const columnFields = (field) => all(".columns input", field.parentElement);
const option = (value, text) => make("option", { value }, text);

function addFacet(field, facet, title, rows) {
  const stated = rows.map((row) => facetsOf(row).get(facet) ?? []);
  const values = [...new Set(stated.flat())].sort(collator.compare);
  if (!values.length || (values.length === 1 && stated.every((own) => own.length))) return;
  const id = `${field.dataset.filters}-${facet}`;
  const select = make("select", { id, "data-facet": facet, autocomplete: "off" }, option("", "any"));
  select.append(...values.map((value) => option(value, value)));
  if (facet === "trained_on") select.append(...values.map((value) => option(`!${value}`, `not ${value}`)));
  if (stated.some((own) => !own.length)) select.append(option("!", "not stated"));
  select.addEventListener("change", () => changed(field));
  field.after(make("span", { class: "facet" }, make("label", { for: id }, title), " ", select));
}

function addChooser(field, table) {
  const named = rowsOf(table)[0].querySelector("th[scope=row]").cellIndex;
  const list = make("div", { role: "group", "aria-label": "Columns that are shown" });
  for (const heading of headingsOf(table).slice(named + 1)) {
    const box = make("input", { type: "checkbox", checked: "", autocomplete: "off", "data-column": heading.cellIndex });
    box.addEventListener("change", () => {
      showColumn(table, heading, box.checked);
      changed(field);
    });
    list.append(make("label", {}, box, ` ${heading.querySelector(".title").textContent}`));
  }
  const chooser = make("details", { class: "columns" }, make("summary", {}, "Columns"), list);
  field.parentElement.append(chooser, make("a", { class: "view", href: "#", hidden: "" }, "Link to this view"));
}

const fields = all("input[data-filters]").filter((field) => rowsOf(byId(field.dataset.filters)).length);

function changed(field) {
  filterTable(field);
  writeState();
}

for (const field of fields) {
  const table = byId(field.dataset.filters);
  for (const [facet, title] of [...FACETS].reverse()) addFacet(field, facet, title, rowsOf(table));
  addChooser(field, table);
  field.addEventListener("input", () => changed(field));
}

const sortable = all("table.sortable");
const first = new Map(); // the rows of each table in their first order, and by which heading they are sorted

for (const table of sortable) {
  for (const heading of all("th[data-sort]", table)) {
    heading.querySelector("button").addEventListener("click", () => {
      sortTable(table, heading, nextOrder(heading));
      writeState();
    });
  }
  if (rowsOf(table)[0]?.cells[0].dataset.key) headingsOf(table)[0].setAttribute("aria-sort", "ascending");
  first.set(table, { rows: rowsOf(table), sorted: sortedBy(table) });
}

// ---- Links to a view: after "#", the address states how each table is sorted, filtered and shown

function namesOf(table) {
  const names = [];
  for (const heading of headingsOf(table)) {
    const title = heading.querySelector(".title").textContent.toLocaleLowerCase();
    const name = title.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/gu, "") || "column";
    let free = name; // two columns may have the same title
    for (let number = 2; names.includes(free); number += 1) free = `${name}-${number}`;
    names.push(free);
  }
  return names;
}

function sortedBy(table) {
  const heading = table.querySelector("th[aria-sort]");
  if (!heading) return "";
  return (heading.getAttribute("aria-sort") === "descending" ? "-" : "") + namesOf(table)[heading.cellIndex];
}

function describeView() {
  const state = new URLSearchParams();
  for (const table of sortable) {
    const sorted = sortedBy(table);
    if (sorted !== first.get(table).sorted) state.append(`${table.id}.sort`, sorted);
    const field = fields.find((one) => one.dataset.filters === table.id);
    if (!field) continue;
    if (field.value.trim()) state.append(`${table.id}.find`, field.value.trim());
    for (const one of facetFields(field)) if (one.value) state.append(`${table.id}.${one.dataset.facet}`, one.value);
    const names = namesOf(table);
    const hidden = columnFields(field).filter((box) => !box.checked);
    for (const box of hidden) state.append(`${table.id}.hide`, names[box.dataset.column]);
  }
  return state.toString();
}

function writeState() {
  const state = describeView();
  for (const link of all("a.view")) {
    link.href = `#${state}`;
    link.hidden = !state;
  }
  history.replaceState(null, "", state ? `#${state}` : location.pathname + location.search);
}

function applySort(table, wanted) {
  const name = wanted.replace(/^-/u, "");
  const heading = headingsOf(table)[namesOf(table).indexOf(name)];
  if (heading) sortTable(table, heading, wanted.startsWith("-") ? "descending" : "ascending");
}

function applyView(table, state) {
  const get = (what) => state.get(`${table.id}.${what}`) ?? "";
  table.tBodies[0].append(...first.get(table).rows);
  for (const heading of all("th[aria-sort]", table)) heading.removeAttribute("aria-sort");
  if (first.get(table).sorted) applySort(table, first.get(table).sorted);
  applySort(table, get("sort"));
  const field = fields.find((one) => one.dataset.filters === table.id);
  if (!field) return;
  field.value = get("find");
  for (const select of facetFields(field)) {
    select.value = get(select.dataset.facet);
    if (select.selectedIndex < 0) select.value = ""; // a value that this table does not have
  }
  const names = namesOf(table);
  const hidden = state.getAll(`${table.id}.hide`);
  for (const box of columnFields(field)) {
    box.checked = !hidden.includes(names[box.dataset.column]);
    showColumn(table, headingsOf(table)[box.dataset.column], box.checked);
  }
  filterTable(field);
}

function readState() {
  if (!location.hash.includes("=")) return; // a link to a section
  const state = new URLSearchParams(location.hash.slice(1));
  for (const table of sortable) applyView(table, state);
  writeState();
  const shown = sortable.find((table) => [...state.keys()].some((key) => key.startsWith(`${table.id}.`)));
  const panel = shown?.closest('[role="tabpanel"]');
  if (panel) byId(panel.getAttribute("aria-labelledby")).click();
  shown?.closest(".scroll").parentElement.scrollIntoView();
}

addEventListener("hashchange", readState);
addEventListener("DOMContentLoaded", readState);

"use strict";
// Text reaches the page only as textContent: a name cannot become markup.

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
  const told = field.value.trim() ? `${shown} of ${rows.length} shown` : "";
  field.parentElement.querySelector("output").textContent = told;
}

for (const field of all("input[data-filters]")) {
  field.addEventListener("input", () => filterTable(field));
}

// ---- Tabs, as the ARIA Authoring Practices have them

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

// ---- Enlarging

const dialog = byId("enlarged");

function enlarge(title, ...content) {
  byId("enlarged-title").textContent = title;
  byId("enlarged-body").replaceChildren(...content);
  dialog.showModal();
}

byId("enlarged-close").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
dialog.addEventListener("close", () => byId("kinds-home")?.append(byId("kinds")));

for (const figure of all(".figures figure")) {
  const image = figure.querySelector("img");
  const title = figure.querySelector("h3, h4").textContent;
  figure.querySelector("button").addEventListener("click", () => {
    enlarge(title, make("img", { src: image.src, alt: image.alt }));
  });
  figure.querySelector("a.embedded").href = image.src; // works alone, without the board's folder
}

// ---- The gallery: parsed when it is first wanted

const nobody = ""; // stands for the truth alone
const read = (id) => JSON.parse(byId(id).textContent);
const wholes = new Map();
let index;

function imageData(name) {
  if (!wholes.has(name)) {
    const data = read(`gallery-${index.images.indexOf(name)}`);
    wholes.set(name, { ...data, drawn: new Map(Object.entries(data.drawn)) }); // a name may be "constructor"
  }
  return wholes.get(name);
}

function outline(path, kind, thin = false) {
  const width = thin ? " thin" : "";
  return [
    draw("path", { d: path, class: `halo kind-${kind}${width}` }),
    draw("path", { d: path, class: `line cell-${kind} kind-${kind}${width}` }),
  ];
}

function picture(image, algorithm, label) {
  const data = imageData(image);
  const [, , height, width] = data.window;
  const box = { x: -0.5, y: -0.5, width, height };
  const svg = draw("svg", { viewBox: `-0.5 -0.5 ${width} ${height}`, role: "img", "aria-label": label });
  svg.append(draw("image", { ...box, href: data.picture, preserveAspectRatio: "none" }));
  const truth = data.truth.join("");
  const drawn = data.drawn.get(algorithm);
  if (!drawn) {
    svg.append(...outline(truth, "matched", true));
    return svg;
  }
  svg.append(...outline(truth, "truth", true));
  for (const [place, kind] of index.kinds.entries()) {
    const paths = data.truth.filter((_, cell) => drawn.kinds[cell] === String(place));
    const shown = paths.length && kind !== "matched"; // of those the prediction is drawn
    if (shown) svg.append(...outline(paths.join(""), kind, kind !== "missed"));
  }
  for (const [kind, path] of Object.entries(drawn.cells)) svg.append(...outline(path, kind));
  return svg;
}

function named(counts, kinds) {
  const words = kinds.filter((kind) => counts[kind]).map((kind) => `${counts[kind]} ${kind.replace("-", " ")}`);
  return words.length ? ` (${words.join(", ")})` : "";
}

function counted({ found, made }) {
  const sum = (counts) => Object.values(counts).reduce((total, count) => total + count, 0);
  const [real, predicted, both] = [sum(found), sum(made), found.matched ?? 0];
  const f1 = both ? (2 * both) / (real + predicted) : 0;
  const wrong = index.kinds.filter((kind) => kind !== "matched");
  return `F1 ${f1.toFixed(3)}: of ${real} true cells ${real - both} not found${named(found, wrong)}; `
    + `of ${predicted} predicted cells ${predicted - both} without partner${named(made, wrong)}.`;
}

function card(title, image, algorithm) {
  const heading = make("h4", {}, make("bdi", {}, title));
  const data = index.images.includes(image) ? imageData(image) : undefined;
  if (!data || (algorithm !== nobody && !data.drawn.has(algorithm))) {
    return make("article", {}, heading, make("p", {}, "Not drawn; the reason stands below."));
  }
  const [top, left, height, width] = data.window;
  const part = height < data.size[0] || width < data.size[1];
  const where = `rows ${top} to ${top + height - 1}, columns ${left} to ${left + width - 1} of ${data.size.join(" × ")} px`;
  const told = algorithm === nobody ? "The true cells" : counted(data.drawn.get(algorithm));
  const label = `${title}. ${told}`;
  const button = make("button", { type: "button", class: "enlarge" }, picture(image, algorithm, `Enlarge: ${label}`));
  const words = make("p", { class: "detail" }, told, make("br"), part ? where : "the whole image");
  button.addEventListener("click", () => enlarge(title, picture(image, algorithm, label), words.cloneNode(true), byId("kinds")));
  return make("article", {}, heading, button, words);
}

function fill(select, names, wanted) {
  const kept = select.options.length && names.includes(select.value) ? select.value : wanted;
  select.replaceChildren(...names.map((name) => make("option", { value: name }, name || "the truth alone")));
  select.value = kept ?? names[0];
}

function browse() {
  const name = byId("browse-algorithm").value;
  const chosen = index.choices.filter((choice) => choice.algorithm === name);
  byId("browse").replaceChildren(
    ...chosen.map((choice) => card(`${choice.role[0].toUpperCase()}${choice.role.slice(1)}: ${choice.image}`, choice.image, name)),
  );
}

function compare() {
  const image = byId("compare-image").value;
  const sides = [byId("compare-left").value, byId("compare-right").value];
  byId("compare").replaceChildren(...sides.map((name) => card(name || "the truth", image, name)));
}

function offer() {
  const drawn = imageData(byId("compare-image").value).drawn;
  const names = index.algorithms.filter((name) => drawn.has(name));
  fill(byId("compare-left"), [...names, nobody], names[0]);
  fill(byId("compare-right"), [...names, nobody], names[1] ?? nobody);
  compare();
}

function openGallery() {
  index = read("gallery-index");
  for (const box of all("input[data-kind]")) {
    const apply = () => document.documentElement.classList.toggle(`hide-${box.dataset.kind}`, !box.checked);
    box.addEventListener("change", apply);
    apply();
  }
  fill(byId("browse-algorithm"), [...new Set(index.choices.map((choice) => choice.algorithm))]);
  byId("browse-algorithm").addEventListener("change", browse);
  browse();
  if (!index.images.length) return;
  fill(byId("compare-image"), index.images);
  byId("compare-image").addEventListener("change", offer);
  for (const side of ["left", "right"]) byId(`compare-${side}`).addEventListener("change", compare);
  offer();
}

if (byId("gallery-index")) {
  const seen = new IntersectionObserver((entries, observer) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    openGallery();
  }, { rootMargin: "600px" });
  seen.observe(byId("gallery"));
  addEventListener("beforeprint", () => index ?? openGallery());
}
addEventListener("beforeprint", () => all("details").forEach((part) => (part.open = true)));


// ---- The gallery: its data are parsed when it is first needed

const NO_ALGORITHM = ""; // the value of the choice "true cells only"
const SMALLEST_WIDTH = 720; // of an enlarged picture, in CSS pixels; a narrow screen scrolls it
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
    const shown = paths.length && kind !== "matched"; // for matched cells, the prediction is drawn
    if (shown) svg.append(...outline(paths.join(""), kind, kind !== "missed"));
  }
  for (const [kind, path] of Object.entries(drawn.cells)) svg.append(...outline(path, kind));
  return svg;
}

function named(counts, kinds) {
  const words = kinds.filter((kind) => counts[kind]).map((kind) => `${counts[kind]} ${kind.replace("-", " ")}`);
  return words.length ? ` (${words.join(", ")})` : "";
}

function counted({ true_cells: found, predicted_cells: predictions }) {
  const sum = (counts) => Object.values(counts).reduce((total, count) => total + count, 0);
  const [real, predicted, both] = [sum(found), sum(predictions), found.matched ?? 0];
  const f1 = both ? (2 * both) / (real + predicted) : 0;
  const wrong = index.kinds.filter((kind) => kind !== "matched");
  return `F1 ${f1.toFixed(3)}. ${real - both} of ${real} true cells were not found${named(found, wrong)}; `
    + `${predicted - both} of ${predicted} predicted cells match no true cell${named(predictions, wrong)}.`;
}

function card(title, image, algorithm) {
  const heading = make("h4", {}, make("bdi", {}, title));
  const data = index.images.includes(image) ? imageData(image) : undefined;
  if (!data || (algorithm !== NO_ALGORITHM && !data.drawn.has(algorithm))) {
    return make("article", {}, heading, make("p", {}, "This picture could not be shown; the reason is given below."));
  }
  const [top, left, height, width] = data.window;
  const part = height < data.size[0] || width < data.size[1];
  const where = `Rows ${top} to ${top + height - 1} and columns ${left} to ${left + width - 1} of ${data.size.join(" × ")} px.`;
  const summary = algorithm === NO_ALGORITHM ? "True cells only." : counted(data.drawn.get(algorithm));
  const label = `${title}. ${summary}`;
  const button = make("button", { type: "button", class: "enlarge" }, picture(image, algorithm, `Enlarge: ${label}`));
  const words = make("p", { class: "detail" }, summary, make("br"), part ? where : "Whole image.");
  const fitting = (view) => Math.max(Math.min(view.clientWidth, (view.clientHeight * width) / height), SMALLEST_WIDTH);
  button.addEventListener("click", () => {
    enlarge(title, picture(image, algorithm, label), fitting, words.cloneNode(true), byId("kinds"));
  });
  return make("article", {}, heading, button, words);
}

function fill(select, names, wanted) {
  const kept = select.options.length && names.includes(select.value) ? select.value : wanted;
  select.replaceChildren(...names.map((name) => make("option", { value: name }, name || "true cells only")));
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
  byId("compare").replaceChildren(...sides.map((name) => card(name || "true cells only", image, name)));
}

function offer() {
  const drawn = imageData(byId("compare-image").value).drawn;
  const names = index.algorithms.filter((name) => drawn.has(name));
  fill(byId("compare-left"), [...names, NO_ALGORITHM], names[0]);
  fill(byId("compare-right"), [...names, NO_ALGORITHM], names[1] ?? NO_ALGORITHM);
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

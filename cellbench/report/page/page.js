
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

// Tasks as the server paints them, made whole: their instructions, and what only some of them need.

const guides = new Map();

// What few tasks need comes with the first that does.
const PARTS = {
  "[data-combo]": () => import("./combobox.js").then((part) => part.growCombos),
  ".item img": () => import("./picture.js").then((part) => part.growPictures),
};
const growers = {};

export async function fetchParts(shown) {
  for (const [needs, fetchPart] of Object.entries(PARTS)) {
    if (growers[needs] || !shown.querySelector(needs)) continue;
    try {
      growers[needs] = await fetchPart();
    } catch {
      // without a connection the plain field and the plain picture do
    }
  }
}

export function growParts(shown, say) {
  for (const grow of Object.values(growers)) grow(shown, say);
}

export function fromHtml(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  return holder.content.querySelector(".task");
}

// The instructions of a step come once; its other tasks show a copy.
export function guided(shown) {
  const own = shown.querySelector(".guide");
  const id = shown.dataset.guide;
  if (own) guides.set(id, own.cloneNode(true));
  else if (guides.has(id)) shown.querySelector(".item").after(guides.get(id).cloneNode(true));
  return shown;
}

// Ids of the instructions that are here already.
export const knownGuides = () => [...guides.keys()];

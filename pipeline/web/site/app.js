// @ts-check
/** The page: takes images, lets the models predict them, and shows what they say. */

import { loadConstants } from "./constants.js";
import { byId, element } from "./elements.js";
import { Many } from "./many.js";
import { Models } from "./models.js";
import { keepOffline } from "./offline.js";
import { Pictures } from "./pictures.js";
import { complaint, Result } from "./result.js";

/** @typedef {import("./pictures.js").Picture} Picture */

const models = new Models();
const status = byId("status");
/** @type {Picture | null} */
let chosen = null;

const pictures = new Pictures(models, update);
const constants = await loadConstants();
const result = new Result(byId("one"), constants, models);
const many = new Many(byId("many"), constants, (picture) => {
  choose(picture);
  byId("one-title").scrollIntoView({ block: "start" });
  byId("one-title").focus({ preventScroll: true });
});

byId("model").textContent = `${constants.bundle.name}. ${constants.bundle.licence}`;
listen();
models.ready.then(opened, broken);

async function opened() {
  update();
  document.documentElement.dataset.ready = "true";
  await keepOffline(); // only now, so that the first answer does not wait for it
}

/** @param {unknown} error that leaves the page without models */
function broken(error) {
  status.replaceChildren(
    complaint(`The models can't be opened in this browser (${error}). A current Chrome, Edge, Firefox or Safari can.`),
  );
}

/** @param {unknown} error that is no image's fault */
function failed(error) {
  status.replaceChildren(complaint(`The page has failed (${error}); reload it.`));
}

/** Show what is new about the pictures. */
function update() {
  const { all, done } = pictures;
  const first = all.find(({ prediction, problem }) => prediction || problem) ?? null;
  if (chosen === null || !all.includes(chosen)) choose(first);
  many.update(pictures, chosen);
  byId("remove").hidden = all.length === 0;
  if (all.length === 0) status.textContent = "The models are open.";
  else if (done < all.length) status.textContent = `Image ${done + 1} of ${all.length} …`;
  else status.textContent = all.length > 1 ? "All images are done." : "";
}

/** @param {Picture | null} picture */
function choose(picture) {
  if (picture === chosen) return;
  chosen = picture;
  result.show(picture);
  if (!picture) document.title = "Lesion";
  many.update(pictures, chosen);
}

function listen() {
  for (const id of ["files", "camera"]) {
    const input = /** @type {HTMLInputElement} */ (byId(id));
    input.addEventListener("change", () => {
      take([...(input.files ?? [])]);
      input.value = ""; // so that the same file can be chosen again
    });
  }
  byId("remove").addEventListener("click", () => take([]));
  byId("examples").append(
    ...constants.examples.map(({ file, name }) =>
      element("button", { type: "button", click: () => takeExample(file, name) }, name),
    ),
  );
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    take([...(event.dataTransfer?.files ?? [])]);
  });
}

/** @param {File[]} files */
function take(files) {
  pictures.take(files.map((file) => ({ name: file.name, file }))).catch(failed);
}

/** @param {string} address @param {string} name */
async function takeExample(address, name) {
  const file = await (await fetch(address)).blob();
  pictures.take([{ name: `drawn ${name}`, file }]).catch(failed);
}

// @ts-check
/** Many images: a table to choose from, and the table as a file. */

import { element, fullName, percent, sentence } from "./elements.js";
import { MOST_PICTURES } from "./pictures.js";

/**
 * @typedef {import("./constants.js").Constants} Constants
 * @typedef {import("./pictures.js").Picture} Picture
 * @typedef {import("./pictures.js").Pictures} Pictures
 */

export class Many {
  /**
   * @param {HTMLElement} place where it is shown
   * @param {Constants} constants
   * @param {(picture: Picture) => void} choose
   */
  constructor(place, constants, choose) {
    this.place = place;
    this.constants = constants;
    this.choose = choose;
    this.title = element("h2", { id: "many-title" });
    this.remark = element("p", { class: "quiet" });
    this.rows = element("tbody");
    const headings = ["Image", "Diagnosis", "Confidence", "Malignant"];
    const head = headings.map((text) => element("th", { scope: "col" }, text));
    const table = element("table", { class: "images" }, element("thead", {}, element("tr", {}, ...head)), this.rows);
    const scroll = element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Predicted images" }, table);
    this.csv = element("button", { type: "button", id: "csv", click: () => this.save() }, "Table (csv)");
    place.append(this.title, this.remark, scroll, this.csv);
    /** @type {Picture[]} */
    this.pictures = [];
  }

  /** @param {Pictures} pictures @param {Picture | null} chosen */
  update({ all, leftOut }, chosen) {
    this.place.hidden = all.length < 2;
    const told = all.filter(({ prediction, problem }) => prediction || problem);
    const failed = told.filter(({ problem }) => problem).length;
    this.title.textContent = `${told.length - failed} of ${all.length} images predicted`;
    this.remark.hidden = leftOut <= 0;
    this.remark.textContent = `${leftOut} images beyond the first ${MOST_PICTURES} are left out; the command line takes any number.`;
    if (this.pictures !== all) this.rows.replaceChildren();
    this.pictures = all;
    for (const picture of told.slice(this.rows.childElementCount)) this.rows.append(this.row(picture));
    [...this.rows.children].forEach((row, at) => {
      row.toggleAttribute("aria-current", all[at] === chosen);
    });
  }

  /** @param {Picture} picture */
  row(picture) {
    const open = element("button", { type: "button", class: "link", click: () => this.choose(picture) }, picture.name);
    const name = element("th", { scope: "row" }, open);
    const { prediction, problem } = picture;
    if (!prediction) return element("tr", {}, name, element("td", { colspan: 3 }, `Could not be used: ${problem}`));
    const likeliest = fullName(this.constants.classes[prediction.diagnosis]);
    const { headline } = prediction;
    const diagnosis = element("td", {}, headline ? `${sentence(headline)}; most probable: ${likeliest}` : likeliest);
    if (prediction.notes.length) {
      diagnosis.append(element("span", { class: "quiet" }, `${sentence(prediction.notes.join("; "))}.`));
    }
    return element(
      "tr",
      {},
      name,
      diagnosis,
      element("td", { class: "number" }, percent(prediction.probabilities[prediction.diagnosis])),
      element("td", { class: "number" }, percent(prediction.malignant)),
    );
  }

  save() {
    const address = URL.createObjectURL(new Blob([csvText(this.pictures, this.constants)], { type: "text/csv" }));
    element("a", { href: address, download: "predictions.csv" }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60000);
  }
}

/**
 * The table that `lesion predict --output` writes; an image that can't be used has its error as its notes.
 * @param {Picture[]} pictures
 * @param {Constants} constants
 */
export function csvText(pictures, { columns, classes }) {
  const rows = pictures
    .filter(({ prediction, problem }) => prediction || problem)
    .map(({ name, prediction, problem }) => {
      if (!prediction) return [name, ...Array(columns.length - 2).fill(""), `${name}: ${problem}`];
      const { probabilities, diagnosis, malignant, box, lesionFraction, view, notes } = prediction;
      return [
        name,
        classes[diagnosis].code,
        probabilities[diagnosis].toFixed(6),
        malignant === null ? "" : malignant.toFixed(6),
        ...probabilities.map((share) => share.toFixed(6)),
        ...(box ? [box.x0, box.y0, box.x1, box.y1] : ["", "", "", ""]),
        lesionFraction.toFixed(6),
        view,
        notes.join("; "),
      ];
    });
  return [columns, ...rows].map((row) => `${row.map(quoted).join(",")}\n`).join("");
}

/** @param {string | number} value */
function quoted(value) {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

// @ts-check
/** One image: what is found, what it is called, and what the reader makes of the box. */

import { bar, element, fullName, percent, sentence } from "./elements.js";
import { Viewer } from "./viewer.js";

/**
 * @typedef {import("./constants.js").Constants} Constants
 * @typedef {import("./models.js").Models} Models
 * @typedef {import("./pictures.js").Picture} Picture
 * @typedef {import("./prediction.js").Prediction} Prediction
 * @typedef {import("./viewer.js").Square} Square
 * @typedef {"lesion" | "own" | "full"} Look what the classifier is to look at
 */

export class Result {
  /**
   * @param {HTMLElement} place where it is shown
   * @param {Constants} constants
   * @param {Models} models
   */
  constructor(place, constants, models) {
    this.place = place;
    this.constants = constants;
    this.models = models;
    /** @type {Picture | null} */
    this.picture = null;
    this.address = "";
  }

  /** Show a picture that is predicted, or say why it can't be; or nothing. @param {Picture | null} picture */
  show(picture) {
    URL.revokeObjectURL(this.address);
    this.picture = picture;
    this.place.hidden = !picture;
    this.place.replaceChildren();
    if (!picture) return;
    document.title = `${picture.name} – Lesion`;
    const title = element("h2", { id: "one-title", tabindex: -1 }, picture.name);
    if (picture.problem) this.place.append(title, complaint(`${picture.name}: ${picture.problem}`));
    if (!picture.prediction) return;
    this.address = URL.createObjectURL(picture.file);
    this.build(title, picture.prediction);
    this.update(picture.prediction);
  }

  /** @param {HTMLElement} title @param {Prediction} prediction */
  build(title, prediction) {
    this.look = /** @type {Look} */ (prediction.view === "full" ? "full" : "lesion");
    this.explained = -1;
    this.viewer = new Viewer(this.constants, (square) => this.predict("own", square));
    this.card = element("section", { class: "card", "aria-label": "Diagnosis", "aria-live": "polite" });
    this.measures = element("div");
    this.looks = this.lookChoice();
    this.place.append(
      title,
      element(
        "div",
        { class: "columns" },
        element("div", {}, this.viewer.element, this.tools()),
        element("div", {}, this.card, this.looks),
      ),
      element("h3", {}, "What the lesion looks like, in numbers"),
      this.widthField(),
      this.measures,
      this.reportFoot(),
    );
  }

  /** @param {Prediction} prediction that is shown from now on */
  update(prediction) {
    this.prediction = prediction;
    const explained = this.explained ?? -1;
    this.viewer?.show(this.address, prediction, explained < 0 ? prediction.diagnosis : explained);
    this.card?.replaceChildren(...cardOf(prediction, this.constants));
    this.measures?.replaceChildren(...measurementsOf(prediction, this.constants, this.millimetres));
    for (const input of this.looks?.querySelectorAll("input") ?? []) input.checked = input.value === this.look;
  }

  /** Predict again, with what the reader has decided. @param {Look} look @param {Square} [square] */
  async predict(look, square) {
    const { picture } = this;
    if (!picture || !this.viewer) return;
    this.look = look;
    const { x0, y0, side } = square ?? this.viewer.square;
    const box = look === "own" ? { x0, y0, x1: x0 + side, y1: y0 + side } : null;
    const prediction = await this.models.predict(picture.key, picture.file, {
      view: look === "full" ? "full" : "crop",
      box,
    });
    if (this.picture === picture) this.update(prediction);
  }

  tools() {
    const opacity = element("input", {
      type: "range", min: 0, max: 100, value: 0, id: "opacity",
      input: (event) => this.viewer?.fade(event.target.value / 100),
    });
    const lines = element("input", {
      type: "checkbox", id: "lines", checked: true,
      change: (event) => this.viewer?.lines(event.target.checked),
    });
    const explained = element(
      "select",
      {
        id: "explained",
        change: (event) => {
          this.explained = Number(event.target.value);
          if (this.prediction) this.update(this.prediction);
        },
      },
      element("option", { value: -1 }, "the diagnosis"),
      ...this.constants.classes.map((diagnosis, at) => element("option", { value: at }, fullName(diagnosis))),
    );
    return element(
      "div",
      { class: "tools" },
      element("label", {}, "Activation map ", opacity),
      element("label", {}, "explains ", explained),
      element("label", {}, lines, " Outline and box"),
    );
  }

  lookChoice() {
    const choices = /** @type {[Look, string][]} */ ([
      ["lesion", "The lesion"],
      ["own", "Your box"],
      ["full", "The full image"],
    ]);
    return element(
      "fieldset",
      { class: "look" },
      element("legend", {}, "The classifier looks at"),
      ...choices.map(([look, name]) =>
        element(
          "label",
          {},
          element("input", { type: "radio", name: "look", value: look, change: () => this.predict(look) }),
          ` ${name}`,
        ),
      ),
      element("p", { class: "quiet" }, "Drag the box or its corners in the picture."),
    );
  }

  widthField() {
    const field = element("input", {
      type: "number", id: "millimetres", min: 0.1, max: 1000, step: "any", inputmode: "decimal", placeholder: "unknown",
      input: (event) => {
        this.millimetres = Number(event.target.value) || 0;
        if (this.prediction) this.update(this.prediction);
      },
    });
    this.millimetres = 0;
    return element("label", { class: "field" }, "Width of the image in millimetres, where you know it ", field);
  }

  reportFoot() {
    const { name } = this.constants.bundle;
    return element(
      "div",
      { class: "report" },
      element("button", { type: "button", id: "print", click: () => window.print() }, "Print or save as PDF"),
      element(
        "p",
        { class: "printed" },
        `${new Date().toLocaleString()} · model ${name} · For research and teaching; not a medical device.`,
      ),
    );
  }
}

/** @param {string} text */
export function complaint(text) {
  return element("p", { class: "complaint", role: "alert" }, text);
}

/** @param {Prediction} prediction @param {Constants} constants */
function cardOf(prediction, { classes, meanings }) {
  const { probabilities, diagnosis, malignant, notes, headline } = prediction;
  const name = fullName(classes[diagnosis]);
  const confidence = percent(probabilities[diagnosis]);
  const told = notes.map((note) => element("li", {}, `${sentence(note)}${note in meanings ? `: ${meanings[note]}` : ""}.`));
  const ranked = classes
    .map((each, at) => ({ each, share: probabilities[at] }))
    .sort((one, other) => other.share - one.share);
  return [
    headline
      ? element("p", { class: "diagnosis" }, element("span", {}, sentence(headline)))
      : element("p", { class: "diagnosis" }, element("span", {}, name), " ", element("strong", {}, confidence)),
    ...(headline ? [element("p", { class: "likeliest" }, `Most probable: ${name}, ${confidence}.`)] : []),
    ...(told.length ? [element("ul", { class: "notes" }, ...told)] : []),
    ...(malignant === null ? [] : [groups(malignant)]),
    element(
      "ol",
      { class: "ranking" },
      ...ranked.map(({ each, share }) =>
        element(
          "li",
          {},
          element("span", { class: "name" }, fullName(each)),
          " ",
          element("span", { class: "share" }, percent(share)),
          bar(share, each.group),
        ),
      ),
    ),
    element("p", { class: "quiet" }, "Calibrated probabilities; they sum to 100%."),
  ];
}

/** @param {number} malignant probability */
function groups(malignant) {
  const both = bar(malignant, "malignant");
  both.append(element("span", { class: "benign rest" }));
  return element(
    "div",
    { class: "groups" },
    element("span", {}, "Malignant ", element("strong", {}, percent(malignant))),
    element("span", {}, element("strong", {}, percent(1 - malignant)), " not malignant"),
    both,
  );
}

/** @param {Prediction} prediction @param {Constants} constants @param {number} [millimetres] the image's width; 0 if unknown */
function measurementsOf({ measurements, width }, { measuring }, millimetres = 0) {
  if (!measurements.length) return [element("p", { class: "quiet" }, "There is no contour of a lesion to measure.")];
  const scale = millimetres ? millimetres / width : 1;
  const rows = measuring.words.map(({ name, unit, meaning, source }, at) => {
    const value = measurements[at] * (unit === "px²" ? scale ** 2 : unit === "px" ? scale : 1);
    const shown = value >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(2);
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, name),
      element("td", { class: "number" }, `${shown} ${millimetres ? unit.replace("px", "mm") : unit}`),
      element("td", { class: "meaning" }, `${meaning} `, element("span", { class: "quiet" }, `${source}.`)),
    );
  });
  return [
    element("table", { class: "measurements" }, element("tbody", {}, ...rows)),
    element(
      "p",
      { class: "quiet" },
      "Measured on the contour in the picture. These describe the lesion; they are no score, and the diagnosis does not use them.",
    ),
  ];
}

// @ts-check
/** Find the lesion, crop it, name it: `pipeline/prediction/predictor.py` in the browser. */

import { answerOf } from "./answer.js";
import { appearanceScore, energyScore } from "./appearance.js";
import { contourPath } from "./contour.js";
import { lookAgain } from "./looks.js";
import { lesionBounds, lesionMask, partOnFrame, partOutside, widen } from "./mask.js";
import { measuredSize, measureLesion } from "./measuring.js";
import { resizeImage } from "./resizing.js";

/**
 * @typedef {import("./constants.js").Constants} Constants
 * @typedef {import("./litert.js").Model} Model
 * @typedef {import("./mask.js").Mask} Mask
 * @typedef {import("./reading.js").Photograph} Photograph
 * @typedef {import("./resizing.js").Box} Box
 * @typedef {"crop" | "full"} View
 * @typedef {{view?: View, box?: Box | null}} Choice what the reader decides in place of the bundle
 * @typedef {{mask: Mask, image: Uint8Array, probability: Float32Array}} Found
 *   the lesion, and the segmentation's input and output
 * @typedef {import("./answer.js").Answer & {
 *   width: number, height: number, view: View, box: Box | null, lesionFraction: number, contour: string,
 *   notes: string[], headline: string | null, familiarity: number | null, activation: Float32Array, activationSide: {width: number, height: number},
 *   measurements: number[],
 * }} Prediction
 */

export class Predictor {
  /** @param {Constants} constants @param {Model} segmentation @param {Model} classification */
  constructor(constants, segmentation, classification) {
    this.constants = constants;
    this.segmentation = segmentation;
    this.classification = classification;
  }

  /** Where the lesion is. @param {Photograph} photograph @returns {Promise<Found>} */
  async find(photograph) {
    const { width, height } = this.segmentation.facts;
    const image = resizedWhole(photograph.whole(this.constants.enough.whole), width, height);
    const [probability] = await this.segmentation.run(image);
    const { threshold } = this.constants.bundle;
    const mask = lesionMask({ data: probability, width, height }, photograph.width, photograph.height, threshold);
    return { mask, image, probability };
  }

  /**
   * What the lesion is.
   * @param {Photograph} photograph
   * @param {Found} found
   * @param {Choice} choice
   * @returns {Promise<Prediction>}
   */
  async name(photograph, found, choice) {
    const { constants } = this;
    const { mask } = found;
    const { width, height } = photograph;
    const bounds = lesionBounds(mask, constants.lesion);
    const box = choice.box ?? (bounds && widen(bounds, constants.bundle.crop_margin, width, height));
    const view = (choice.view ?? constants.bundle.view) === "crop" && box ? "crop" : "full";
    const seen = this.seen(photograph, view === "crop" ? box : null);
    const [logits, activation] = await this.classification.run(seen);
    const { score, unlike } = this.familiarity(found, logits, activation);
    const look = await this.decidingLook(seen, { logits, activation });
    const answer = answerOf(look.logits, constants, this.calibration.temperature);
    return {
      ...answer,
      width,
      height,
      view,
      box,
      lesionFraction: mask.area / (width * height),
      contour: contourPath(mask),
      notes: notesOf(mask, box, view, answer, unlike, constants, this.calibration.abstention_threshold),
      headline: unlike ? constants.no_answer : null,
      familiarity: score,
      activation: look.activation,
      activationSide: this.mapOf(activation),
      measurements: bounds ? this.measure(photograph, mask, bounds) : [],
    };
  }

  /** What calibrates the answers. */
  get calibration() {
    return this.constants.bundle.second_look ?? this.constants.bundle;
  }

  /**
   * The first look, or the mean over the view's flips where the first is unsure.
   * @param {Uint8Array} seen
   * @param {import("./looks.js").Look} first
   */
  async decidingLook(seen, first) {
    const { second_look: again, temperature } = this.constants.bundle;
    if (!again) return first;
    const { probabilities } = answerOf(first.logits, this.constants, temperature);
    if (Math.max(...probabilities) >= again.below_confidence) return first;
    return lookAgain(this.classification, seen, first, this.mapOf(first.activation));
  }

  /** Size of an activation map. @param {Float32Array} activation */
  mapOf(activation) {
    return mapSize(activation.length / this.constants.classes.length, this.classification.facts);
  }

  /**
   * How much an image looks like those of the training, and whether too little; null where the bundle can't tell.
   * @param {Found} found
   * @param {Float32Array} logits
   * @param {Float32Array} activation
   */
  familiarity({ image, probability }, logits, activation) {
    const { energy, appearance, threshold } = this.constants.bundle;
    const { width, height } = this.segmentation.facts;
    const seen = { image, probability, width, height, logits, activation };
    const detector = appearance ?? energy;
    if (!detector) return { score: null, unlike: false };
    const score = appearance ? appearanceScore(seen, appearance, threshold) : energyScore(seen, /** @type {any} */ (energy));
    return { score, unlike: score < detector.threshold };
  }

  /** The classifier's input. @param {Photograph} photograph @param {Box | null} box null for the whole image */
  seen(photograph, box) {
    const { width, height } = this.classification.facts;
    const { whole, part } = this.constants.enough;
    return resizedWhole(box ? photograph.part(box, part, whole) : photograph.whole(whole), width, height);
  }

  /** @param {Photograph} photograph @param {Mask} mask @param {Box} bounds */
  measure(photograph, mask, bounds) {
    const { measuring, enough } = this.constants;
    const pixels = photograph.part(bounds, measuredSize(bounds, measuring.side), enough.whole);
    return measureLesion(mask, bounds, pixels, measuring);
  }
}

/** @param {import("./resizing.js").Pixels} pixels @param {number} width @param {number} height */
function resizedWhole(pixels, width, height) {
  return resizeImage(pixels, { x0: 0, y0: 0, x1: pixels.width, y1: pixels.height }, width, height);
}

/**
 * Sides of an activation map of so many places, shaped as the classifier's input.
 * @param {number} places
 * @param {{width: number, height: number}} input
 */
function mapSize(places, input) {
  const height = Math.round(Math.sqrt((places * input.height) / input.width));
  return { width: places / height, height };
}

/**
 * What a reader should know about this prediction.
 * @param {Mask} mask
 * @param {Box | null} box
 * @param {View} view
 * @param {import("./answer.js").Answer} answer
 * @param {boolean} unlike the images of the training
 * @param {Constants} constants
 * @param {number} limit the least confidence that is not low
 */
function notesOf(mask, box, view, answer, unlike, { bundle, lesion, notes }, limit) {
  const found = [];
  if (!box) found.push(bundle.view === "crop" ? notes.no_lesion_to_crop : notes.no_lesion);
  if (answer.probabilities[answer.diagnosis] < limit) found.push(notes.low_confidence);
  if (unlike) found.push(notes.unlike_training);
  if (box && partOnFrame(mask) >= lesion.shortest_cut) found.push(notes.cut_off);
  if (box && view === "crop" && partOutside(mask, box) > lesion.most_outside) found.push(notes.outside_crop);
  return found;
}

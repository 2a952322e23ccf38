// @ts-check
/** Find the lesion, crop it, name it: `pipeline/prediction/predictor.py` in the browser. */

import { answerOf } from "./answer.js";
import { contourPath } from "./contour.js";
import { lesionBounds, lesionMask, widen } from "./mask.js";
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
 * @typedef {import("./answer.js").Answer & {
 *   width: number, height: number, view: View, box: Box | null, lesionFraction: number, contour: string,
 *   notes: string[], activation: Float32Array, activationSide: {width: number, height: number},
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

  /** Where the lesion is. @param {Photograph} photograph @returns {Promise<Mask>} */
  async find(photograph) {
    const { width, height } = this.segmentation.facts;
    const pixels = photograph.whole(this.constants.enough.whole);
    const [probability] = await this.segmentation.run(resizedWhole(pixels, width, height));
    const { threshold } = this.constants.bundle;
    return lesionMask({ data: probability, width, height }, photograph.width, photograph.height, threshold);
  }

  /**
   * What the lesion is.
   * @param {Photograph} photograph
   * @param {Mask} mask
   * @param {Choice} choice
   * @returns {Promise<Prediction>}
   */
  async name(photograph, mask, choice) {
    const { constants } = this;
    const bounds = lesionBounds(mask, constants.lesion);
    const { width, height } = photograph;
    const box = choice.box ?? (bounds && widen(bounds, constants.bundle.crop_margin, width, height));
    const view = (choice.view ?? constants.bundle.view) === "crop" && box ? "crop" : "full";
    const [logits, activation] = await this.classification.run(this.seen(photograph, view === "crop" ? box : null));
    const answer = answerOf(logits, activation, constants);
    return {
      ...answer,
      width,
      height,
      view,
      box,
      lesionFraction: mask.area / (width * height),
      contour: contourPath(mask),
      notes: notesOf(box, answer, constants),
      activation,
      activationSide: mapSize(activation.length / constants.classes.length, this.classification.facts),
      measurements: bounds ? this.measure(photograph, mask, bounds) : [],
    };
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
 * @param {Box | null} box
 * @param {import("./answer.js").Answer} answer
 * @param {Constants} constants
 */
function notesOf(box, answer, { bundle, notes }) {
  const found = [];
  if (!box) found.push(bundle.view === "crop" ? notes.no_lesion_to_crop : notes.no_lesion);
  if (answer.probabilities[answer.diagnosis] < bundle.abstention_threshold) found.push(notes.low_confidence);
  if (bundle.ood && answer.familiarity !== null && answer.familiarity < bundle.ood.threshold) {
    found.push(notes.unlike_training);
  }
  return found;
}

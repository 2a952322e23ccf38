// @ts-check
/** From what the classifier returns to probabilities, familiarity and notes. */

/**
 * @typedef {import("./constants.js").Constants} Constants
 * @typedef {import("./constants.js").Scale} Scale
 * @typedef {{probabilities: number[], malignant: number | null, diagnosis: number, familiarity: number | null}} Answer
 *   `probabilities` in the order of the classes, `diagnosis` the index of the greatest
 */

/**
 * @param {Float32Array} logits
 * @param {Float32Array} activation map, class after class for each place
 * @param {Constants} constants
 * @returns {Answer}
 */
export function answerOf(logits, activation, constants) {
  const { classes, bundle } = constants;
  const probabilities = softmax(logits.map((logit) => logit / Math.fround(bundle.temperature)));
  const groups = classes.map(({ group }) => group);
  const known = groups.some((group) => group !== "unknown");
  const malignant = probabilities.reduce((sum, p, at) => (groups[at] === "malignant" ? sum + p : sum), 0);
  return {
    probabilities,
    malignant: known ? Math.min(1, malignant) : null,
    diagnosis: probabilities.indexOf(Math.max(...probabilities)),
    familiarity: bundle.ood && familiarity(logits, activation, bundle.ood, constants.ood.smallest_deviation),
  };
}

/** @param {ArrayLike<number>} logits */
export function softmax(logits) {
  const values = Array.from(logits);
  const largest = Math.max(...values);
  const powers = values.map((logit) => Math.exp(logit - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/**
 * @param {Float32Array} logits
 * @param {Float32Array} activation
 * @param {{energy: Scale, unevenness: Scale}} detector
 * @param {number} smallestDeviation
 */
export function familiarity(logits, activation, detector, smallestDeviation) {
  return (
    scaled(energy(logits), detector.energy) +
    scaled(unevenness(activation, logits.length, smallestDeviation), detector.unevenness)
  );
}

/** @param {number} value @param {Scale} scale */
function scaled(value, { mean, deviation }) {
  return (value - mean) / deviation;
}

/** Logarithm of the summed exponentials. @param {Float32Array} logits */
function energy(logits) {
  const values = Array.from(logits);
  const largest = Math.max(...values);
  return largest + Math.log(values.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
}

/**
 * Logarithm of the standard deviation over places, averaged over the classes.
 * @param {Float32Array} activation
 * @param {number} classes
 * @param {number} smallestDeviation
 */
function unevenness(activation, classes, smallestDeviation) {
  const places = activation.length / classes;
  let deviations = 0;
  for (let name = 0; name < classes; name++) {
    let sum = 0;
    for (let at = name; at < activation.length; at += classes) sum += activation[at];
    const mean = sum / places;
    let squares = 0;
    for (let at = name; at < activation.length; at += classes) squares += (activation[at] - mean) ** 2;
    deviations += Math.sqrt(squares / places);
  }
  return Math.log(deviations / classes + smallestDeviation);
}

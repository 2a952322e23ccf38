// @ts-check
/** From the classifier's logits to probabilities. */

/**
 * @typedef {import("./constants.js").Constants} Constants
 * @typedef {{probabilities: number[], malignant: number | null, diagnosis: number}} Answer
 *   `probabilities` in the order of the classes, `diagnosis` the index of the greatest
 */

/**
 * @param {Float32Array} logits
 * @param {Constants} constants
 * @param {number} temperature that calibrates these logits
 * @returns {Answer}
 * @throws {Error} where an answer is no number
 */
export function answerOf(logits, { classes }, temperature) {
  if (!logits.every(Number.isFinite)) throw new Error("the classification has answered what is no number");
  const probabilities = softmax(logits.map((logit) => logit / Math.fround(temperature)));
  const groups = classes.map(({ group }) => group);
  const known = groups.some((group) => group !== "unknown");
  const malignant = probabilities.reduce((sum, p, at) => (groups[at] === "malignant" ? sum + p : sum), 0);
  return {
    probabilities,
    malignant: known ? Math.min(1, malignant) : null,
    diagnosis: probabilities.indexOf(Math.max(...probabilities)),
  };
}

/** @param {ArrayLike<number>} logits */
function softmax(logits) {
  const values = Array.from(logits);
  const largest = Math.max(...values);
  const powers = values.map((logit) => Math.exp(logit - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

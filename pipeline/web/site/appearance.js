// @ts-check
/** Whether an image looks like those of the training, from what both networks saw and said. */

/**
 * @typedef {import("./constants.js").Scale} Scale
 * @typedef {import("./constants.js").EnergyDetector} EnergyDetector
 * @typedef {import("./constants.js").AppearanceDetector} AppearanceDetector
 * @typedef {{
 *   image: Uint8Array, probability: Float32Array, width: number, height: number,
 *   logits: Float32Array, activation: Float32Array,
 * }} Seen the segmentation's input (RGB) and output, of the given size, and the classifier's answer
 */

const NEAR = 1;
const FAR = 4; // pixels of the segmentation's input, over which grey levels are compared
const SMALLEST = 1e-3;
const FARTHEST = 8; // deviations that count in a rule

/**
 * The score of bundles that were not calibrated on images.
 * @param {Seen} seen
 * @param {EnergyDetector} detector
 */
export function energyScore({ logits, activation }, detector) {
  const scaled = (/** @type {number} */ value, /** @type {Scale} */ { mean, deviation }) => (value - mean) / deviation;
  const spread = unevenness(activation, logits.length, detector.smallest_deviation);
  return scaled(energy(Array.from(logits)), detector.energy) + scaled(spread, detector.unevenness);
}

/**
 * Logarithm of the density of an image's appearance in a mixture of Gaussians, up to a constant, or less where a rule speaks.
 * @param {Seen} seen
 * @param {AppearanceDetector} detector
 * @param {number} threshold of the mask
 */
export function appearanceScore(seen, detector, threshold) {
  const { mean, deviation, weights, centres, factors } = detector;
  const numbers = appearance(seen, threshold, detector.smallest_deviation);
  const standardised = numbers.map((value, at) => (value - mean[at]) / deviation[at]);
  const densities = weights.map((weight, component) => {
    const offsets = standardised.map((value, at) => value - centres[component][at]);
    const factor = factors[component];
    let density = Math.log(weight);
    for (let column = 0; column < offsets.length; column++) {
      const distance = offsets.reduce((sum, offset, row) => sum + offset * factor[row][column], 0);
      density += Math.log(factor[column][column]) - distance ** 2 / 2;
    }
    return density;
  });
  const near = standardised.map((value) => Math.min(Math.max(value, -FARTHEST), FARTHEST));
  const spread = [...near, ...near.map((value) => value ** 2 / 3)];
  const strangeness = detector.rules.map((rule, at) =>
    spread.reduce((sum, value, place) => sum + value * rule[place], detector.biases[at]),
  );
  return Math.min(energy(densities), ...strangeness.map((value) => detector.threshold - value));
}

/**
 * The 29 numbers of `classification/appearance.py`, in its order.
 * @param {Seen} seen
 * @param {number} threshold
 * @param {number} smallestDeviation
 */
export function appearance(seen, threshold, smallestDeviation) {
  const { image, probability, logits, activation } = seen;
  const least = Math.fround(threshold);
  const lesion = Uint8Array.from(probability, (value) => (value >= least ? 1 : 0));
  const inside = statistics(image, lesion, 1);
  const outside = statistics(image, lesion, 0);
  return [
    energy(Array.from(logits)),
    unevenness(activation, logits.length, smallestDeviation),
    greatest(activation),
    greatest(deviations(activation, logits.length)),
    ...ofTheMask(probability, lesion),
    ...statistics(image, lesion, null),
    ...outside,
    ...inside,
    Math.hypot(inside[0] - outside[0], inside[1] - outside[1], inside[2] - outside[2]),
    ...[NEAR, FAR].map((step) => detail(seen, step)),
  ];
}

/** Logarithm of the summed exponentials. @param {number[]} logits */
export function energy(logits) {
  const largest = Math.max(...logits);
  return largest + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
}

/**
 * Logarithm of the standard deviation over places, averaged over the classes.
 * @param {Float32Array} activation
 * @param {number} classes
 * @param {number} smallestDeviation
 */
function unevenness(activation, classes, smallestDeviation) {
  const sum = deviations(activation, classes).reduce((total, deviation) => total + deviation, 0);
  return Math.log(sum / classes + smallestDeviation);
}

/** Standard deviation over places of each class's map. @param {Float32Array} activation @param {number} classes */
function deviations(activation, classes) {
  const places = activation.length / classes;
  return Array.from({ length: classes }, (_, name) => {
    let sum = 0;
    for (let at = name; at < activation.length; at += classes) sum += activation[at];
    let squares = 0;
    for (let at = name; at < activation.length; at += classes) squares += (activation[at] - sum / places) ** 2;
    return Math.sqrt(squares / places);
  });
}

/** How large, doubtful, sure and certain the mask is. @param {Float32Array} probability @param {Uint8Array} lesion */
function ofTheMask(probability, lesion) {
  let [area, doubt, sure] = [0, 0, 0];
  probability.forEach((value, at) => {
    area += lesion[at];
    doubt += value * (1 - value);
    if (lesion[at]) sure += value;
  });
  const { length } = probability;
  return [Math.log(area / length + SMALLEST), doubt / length, area ? sure / area : 0, greatest(probability)];
}

/**
 * Mean and standard deviation of each channel, 0..1, inside (1), outside (0) or everywhere (null); everywhere, too, where
 * there is no such pixel.
 * @param {Uint8Array} image
 * @param {Uint8Array} lesion
 * @param {0 | 1 | null} where
 * @returns {number[]}
 */
function statistics(image, lesion, where) {
  const sums = [0, 0, 0];
  const squares = [0, 0, 0];
  let count = 0;
  for (let at = 0; at < lesion.length; at++) {
    if (where !== null && lesion[at] !== where) continue;
    count++;
    for (let channel = 0; channel < 3; channel++) {
      const value = image[3 * at + channel]; // whole numbers, whose sums are exact
      sums[channel] += value;
      squares[channel] += value * value;
    }
  }
  if (count === 0) return statistics(image, lesion, null);
  const means = sums.map((sum) => sum / count);
  const spreads = squares.map((sum, channel) => Math.sqrt(Math.max(0, sum / count - means[channel] ** 2)));
  return [...means, ...spreads].map((value) => value / 255);
}

/** How much grey levels differ that lie so many pixels apart. @param {Seen} seen @param {number} step */
function detail({ image, width, height }, step) {
  const grey = (/** @type {number} */ at) => image[3 * at] + image[3 * at + 1] + image[3 * at + 2];
  let [down, across] = [0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      if (y >= step) down += Math.abs(grey(at) - grey(at - step * width));
      if (x >= step) across += Math.abs(grey(at) - grey(at - step));
    }
  }
  const means = down / (width * (height - step)) + across / (height * (width - step));
  return Math.log(means / (3 * 255) + SMALLEST);
}

/** @param {ArrayLike<number>} values */
function greatest(values) {
  let largest = -Infinity;
  for (let at = 0; at < values.length; at++) largest = Math.max(largest, values[at]);
  return largest;
}

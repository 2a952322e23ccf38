// @ts-check
/** A second look at a view, mirrored, where the first is unsure: `classification/test_time_augmentation.py` in the browser. */

/** Whether rows and columns run backwards; each is its own inverse. */
const FLIPS = [
  { rows: false, columns: true },
  { rows: true, columns: false },
  { rows: true, columns: true },
];

/**
 * @typedef {import("./litert.js").Model} Model
 * @typedef {{logits: Float32Array, activation: Float32Array}} Look
 */

/**
 * What the classifier says of a view and of its three flips, on average; the activation map as the view itself lies.
 * @param {Model} classification
 * @param {Uint8Array} view RGB of the classifier's size
 * @param {Look} first what it has said of the view
 * @param {{width: number, height: number}} map size of the activation map
 * @returns {Promise<Look>}
 */
export async function lookAgain(classification, view, first, map) {
  const looks = [first];
  for (const flip of FLIPS) {
    const [logits, activation] = await classification.run(flipped(view, classification.facts, 3, flip));
    looks.push({ logits, activation: flipped(activation, map, first.logits.length, flip) });
  }
  return { logits: mean(looks.map(({ logits }) => logits)), activation: mean(looks.map(({ activation }) => activation)) };
}

/**
 * @template {Uint8Array | Float32Array} T
 * @param {T} image
 * @param {{width: number, height: number}} size
 * @param {number} depth values of a place
 * @param {{rows: boolean, columns: boolean}} flip
 * @returns {T}
 */
export function flipped(image, { width, height }, depth, { rows, columns }) {
  const result = image.slice();
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = ((rows ? height - 1 - y : y) * width + (columns ? width - 1 - x : x)) * depth;
      result.set(image.subarray(from, from + depth), (y * width + x) * depth);
    }
  }
  return /** @type {T} */ (result);
}

/** @param {Float32Array[]} arrays of one length */
function mean(arrays) {
  return arrays[0].map((_, at) => arrays.reduce((sum, values) => sum + values[at], 0) / arrays.length);
}

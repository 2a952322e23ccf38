// @ts-check
/** From the lesion's probability to its mask: the largest component, its holes filled; and to the box around it. */

import { Runs } from "./components.js";
import { resizeMap, roundHalfToEven } from "./resizing.js";

/** @typedef {import("./resizing.js").Box} Box */

/**
 * A lesion: 1 where it is, and the tight box around that; null where nothing is.
 * @typedef {{data: Uint8Array, width: number, height: number, area: number, bounds: Box | null}} Mask
 */

/**
 * A probability map of the model's size.
 * @typedef {{data: Float32Array, width: number, height: number}} Probability
 */

/**
 * The largest component of the pixels at or above the threshold, in the image's size, its holes filled.
 * @param {Probability} probability
 * @param {number} width of the image
 * @param {number} height of the image
 * @param {number} threshold
 * @returns {Mask}
 */
export function lesionMask(probability, width, height, threshold) {
  const runs = new Runs(1);
  const least = Math.fround(threshold);
  resizeMap(probability.data, probability.width, probability.height, width, height, (row, y) => {
    runs.nextRow();
    for (let x = 0; x < width; x++) {
      if (row[x] < least) continue;
      const start = x;
      while (x < width && row[x] >= least) x++;
      runs.add(y, start, x);
    }
  });
  const mask = painted(runs, runs.largest(), width, height);
  if (mask.bounds) fillHoles(mask, mask.bounds);
  return mask;
}

/**
 * @param {Runs} runs
 * @param {number} component
 * @param {number} width
 * @param {number} height
 * @returns {Mask}
 */
function painted(runs, component, width, height) {
  const data = new Uint8Array(width * height);
  let area = 0;
  const bounds = { x0: width, y0: height, x1: 0, y1: 0 };
  for (let run = 0; run < runs.count; run++) {
    if (runs.component(run) !== component) continue;
    const [y, start, end] = [runs.rows[run], runs.starts[run], runs.ends[run]];
    data.fill(1, y * width + start, y * width + end);
    area += end - start;
    bounds.x0 = Math.min(bounds.x0, start);
    bounds.x1 = Math.max(bounds.x1, end);
    bounds.y0 = Math.min(bounds.y0, y);
    bounds.y1 = y + 1;
  }
  return { data, width, height, area, bounds: area ? bounds : null };
}

/**
 * Fill what the component encloses: the background that no way of direct neighbours joins with the outside.
 * @param {Mask} mask
 * @param {Box} bounds
 */
function fillHoles(mask, { x0, y0, x1, y1 }) {
  const { data, width } = mask;
  const outside = new Runs(0);
  outside.add(y0 - 1, x0 - 1, x1 + 1); // a frame around the component: the first run, and so the outside's component
  for (let y = y0; y < y1; y++) {
    outside.nextRow();
    let start = x0 - 1;
    for (let x = x0; x < x1; x++) {
      if (!data[y * width + x]) continue;
      if (x > start) outside.add(y, start, x);
      start = x + 1;
    }
    outside.add(y, start, x1 + 1);
  }
  outside.nextRow();
  outside.add(y1, x0 - 1, x1 + 1);
  for (let run = 0; run < outside.count; run++) {
    if (outside.component(run) === 0) continue;
    const [y, start, end] = [outside.rows[run], outside.starts[run], outside.ends[run]];
    data.fill(1, y * width + start, y * width + end);
    mask.area += end - start;
  }
}

/**
 * The tight box around a lesion; null where the mask holds no plausible one.
 * @param {Mask} mask
 * @param {{smallest: number, largest: number}} plausible parts of the image's area
 */
export function lesionBounds(mask, { smallest, largest }) {
  const part = mask.area / (mask.width * mask.height);
  return smallest <= part && part <= largest ? mask.bounds : null;
}

/** Part of the image's edge that the lesion touches. @param {Mask} mask */
export function partOnFrame({ data, width, height }) {
  let count = 0;
  for (let x = 0; x < width; x++) count += data[x] + data[(height - 1) * width + x];
  for (let y = 1; y < height - 1; y++) count += data[y * width] + data[y * width + width - 1];
  return count / (2 * width + 2 * (height - 2));
}

/** Part of the lesion that lies outside a box; 0 where there is no lesion. @param {Mask} mask @param {Box} box */
export function partOutside({ data, width, area }, { x0, y0, x1, y1 }) {
  let inside = 0;
  for (let y = y0; y < y1; y++) {
    for (let at = y * width + x0; at < y * width + x1; at++) inside += data[at];
  }
  return area ? 1 - inside / area : 0;
}

/**
 * Square box around the bounds of a lesion, inside the image.
 * @param {Box} bounds
 * @param {number} margin added on every side, as a part of the bounds' longer side
 * @param {number} width of the image
 * @param {number} height of the image
 */
export function widen({ x0, y0, x1, y1 }, margin, width, height) {
  const side = Math.max(x1 - x0, y1 - y0) * (1 + 2 * margin);
  return squareBox((x0 + x1) / 2, (y0 + y1) / 2, side, width, height);
}

/**
 * Square of about `side` pixels around a point, shrunk and shifted as far as needed to lie inside the image.
 * @param {number} x
 * @param {number} y
 * @param {number} side
 * @param {number} width of the image
 * @param {number} height of the image
 * @returns {Box}
 */
export function squareBox(x, y, side, width, height) {
  const length = limit(roundHalfToEven(side), 1, Math.min(width, height));
  const x0 = limit(roundHalfToEven(x - length / 2), 0, width - length);
  const y0 = limit(roundHalfToEven(y - length / 2), 0, height - length);
  return { x0, y0, x1: x0 + length, y1: y0 + length };
}

/** @param {number} value @param {number} low @param {number} high */
export function limit(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

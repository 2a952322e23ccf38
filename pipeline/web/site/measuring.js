// @ts-check
/** What a lesion looks like, in numbers that are measured on its mask; `segmentation/shape.py` has their sources. */

import { resizeImage, resizeMap, roundHalfToEven } from "./resizing.js";

/**
 * @typedef {import("./mask.js").Mask} Mask
 * @typedef {import("./resizing.js").Box} Box
 * @typedef {import("./resizing.js").Pixels} Pixels
 * @typedef {{data: Uint8Array, width: number, height: number}} Region 1 where the lesion is, with a rim of background
 */

/**
 * The size in which a part of an image is measured.
 * @param {Box} bounds
 * @param {number} longest side
 */
export function measuredSize({ x0, y0, x1, y1 }, longest) {
  const scale = Math.min(1, longest / Math.max(x1 - x0, y1 - y0));
  const side = (/** @type {number} */ length) => Math.max(1, roundHalfToEven(length * scale));
  return { width: side(x1 - x0), height: side(y1 - y0) };
}

/**
 * Area and largest diameter in pixels of the image, asymmetry, border irregularity, and colour variegation.
 * @param {Mask} mask
 * @param {Box} bounds of the lesion
 * @param {Pixels} pixels of what lies in the bounds, in any detail
 * @param {{side: number, rim: number}} measuring
 * @returns {number[]}
 */
export function measureLesion(mask, bounds, pixels, { side, rim }) {
  const size = measuredSize(bounds, side);
  const region = regionOf(mask, bounds, size, rim);
  const scale = Math.max(bounds.x1 - bounds.x0, bounds.y1 - bounds.y0) / Math.max(size.width, size.height);
  return [
    mask.area,
    diameter(region) * scale,
    asymmetry(region),
    borderIrregularity(region),
    colourVariegation(pixels, region, size, rim),
  ];
}

/**
 * @param {Mask} mask
 * @param {Box} bounds
 * @param {{width: number, height: number}} size
 * @param {number} rim
 * @returns {Region}
 */
function regionOf(mask, { x0, y0, x1, y1 }, size, rim) {
  const [columns, rows] = [x1 - x0, y1 - y0];
  const part = new Uint8Array(columns * rows);
  for (let y = 0; y < rows; y++) {
    const from = (y0 + y) * mask.width + x0;
    part.set(mask.data.subarray(from, from + columns), y * columns);
  }
  const width = size.width + 2 * rim;
  const height = size.height + 2 * rim;
  const data = new Uint8Array(width * height);
  resizeMap(part, columns, rows, size.width, size.height, (row, y) => {
    for (let x = 0; x < size.width; x++) data[(y + rim) * width + x + rim] = row[x] >= 0.5 ? 1 : 0;
  });
  return { data, width, height };
}

/** The longest distance between two points of the border. @param {Region} region */
function diameter({ data, width, height }) {
  /** @type {number[][]} */
  const points = [];
  const add = (/** @type {number[]} */ lesion, /** @type {(at: number) => number[]} */ place) => {
    if (lesion.length) points.push(place(lesion[0] - 0.5), place(lesion[lesion.length - 1] + 0.5));
  };
  const places = (/** @type {number} */ length) => Array.from({ length }, (_, at) => at);
  for (let y = 0; y < height; y++) add(places(width).filter((x) => data[y * width + x]), (x) => [x, y]);
  for (let x = 0; x < width; x++) add(places(height).filter((y) => data[y * width + x]), (y) => [x, y]);
  let longest = 0;
  for (const [x, y] of points) {
    for (const [u, v] of points) longest = Math.max(longest, (x - u) ** 2 + (y - v) ** 2);
  }
  return Math.sqrt(longest);
}

/** Part of the area that finds no counterpart when the lesion is folded along its main axes. @param {Region} region */
function asymmetry(region) {
  const { data, side } = turnedUpright(region);
  let [area, unlikeAcross, unlikeDown] = [0, 0, 0];
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const here = data[y * side + x];
      area += here;
      unlikeDown += here ^ data[(side - 1 - y) * side + x];
      unlikeAcross += here ^ data[y * side + side - 1 - x];
    }
  }
  return (unlikeAcross + unlikeDown) / 4 / area;
}

/** The region with its centroid in the middle of a square, and its longest axis vertical. @param {Region} region */
function turnedUpright(region) {
  const { x, y, orientation } = axes(region);
  const radius = Math.ceil(Math.hypot(region.width, region.height));
  const side = 2 * radius + 1;
  const data = new Uint8Array(side * side);
  const [cos, sin] = [Math.cos(orientation), Math.sin(orientation)];
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const [u, v] = [column - radius, row - radius];
      data[row * side + column] = interpolated(region, cos * u + sin * v + x, cos * v - sin * u + y) >= 0.5 ? 1 : 0;
    }
  }
  return { data, side };
}

/** Centroid, and the angle between the rows' axis and the longest axis. @param {Region} region */
function axes({ data, width, height }) {
  let [area, x, y] = [0, 0, 0];
  for (let at = 0; at < data.length; at++) {
    if (!data[at]) continue;
    area++;
    x += at % width;
    y += Math.floor(at / width);
  }
  [x, y] = [x / area, y / area];
  let [xx, yy, xy] = [0, 0, 0];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      if (!data[row * width + column]) continue;
      xx += (column - x) ** 2;
      yy += (row - y) ** 2;
      xy += (column - x) * (row - y);
    }
  }
  if (xx === yy) return { x, y, orientation: xy > 0 ? Math.PI / 4 : -Math.PI / 4 };
  return { x, y, orientation: 0.5 * Math.atan2(2 * xy, yy - xx) };
}

/** @param {Region} region @param {number} x @param {number} y */
function interpolated({ data, width, height }, x, y) {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const at = (/** @type {number} */ column, /** @type {number} */ row) =>
    column >= 0 && row >= 0 && column < width && row < height ? data[row * width + column] : 0;
  const [right, below] = [x - left, y - top];
  return (
    (1 - below) * ((1 - right) * at(left, top) + right * at(left + 1, top)) +
    below * ((1 - right) * at(left, top + 1) + right * at(left + 1, top + 1))
  );
}

/** Squared perimeter of the slightly blurred border over 4π times the area. @param {Region} region */
function borderIrregularity(region) {
  const blurred = blur(region);
  const { width, height } = region;
  let perimeter = 0;
  for (let y = 0; y < height - 1; y++) {
    for (let x = 0; x < width - 1; x++) {
      const at = y * width + x;
      perimeter += borderInside(blurred[at], blurred[at + 1], blurred[at + width + 1], blurred[at + width]);
    }
  }
  const area = region.data.reduce((sum, lesion) => sum + lesion, 0);
  return perimeter ** 2 / (4 * Math.PI * area);
}

/** A Gaussian of one pixel's standard deviation, up to four of them away. @param {Region} region */
function blur({ data, width, height }) {
  const weights = Array.from({ length: 9 }, (_, at) => Math.exp(-((at - 4) ** 2) / 2));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const across = smoothed(Float64Array.from(data), width, height, 1, width, weights, sum);
  return smoothed(across, height, width, width, 1, weights, sum);
}

/**
 * @param {Float64Array} values
 * @param {number} length of a line
 * @param {number} lines
 * @param {number} step between the values of a line
 * @param {number} next between lines
 * @param {number[]} weights
 * @param {number} sum of the weights
 */
function smoothed(values, length, lines, step, next, weights, sum) {
  const result = new Float64Array(values.length);
  const reach = (weights.length - 1) / 2;
  for (let line = 0; line < lines; line++) {
    for (let at = 0; at < length; at++) {
      let total = 0;
      for (let i = -reach; i <= reach; i++) {
        const near = Math.min(Math.max(at + i, 0), length - 1);
        total += weights[i + reach] * values[line * next + near * step];
      }
      result[line * next + at * step] = total / sum;
    }
  }
  return result;
}

/**
 * Length of the line at one half through a square of four values, given clockwise (marching squares).
 * @param {number} a top left
 * @param {number} b top right
 * @param {number} c bottom right
 * @param {number} d bottom left
 */
function borderInside(a, b, c, d) {
  const cut = (/** @type {number} */ from, /** @type {number} */ to) => (0.5 - from) / (to - from);
  const above = [a > 0.5, b > 0.5, c > 0.5, d > 0.5];
  /** @type {number[][]} */
  const crossings = [];
  if (above[0] !== above[1]) crossings.push([cut(a, b), 0]);
  if (above[1] !== above[2]) crossings.push([1, cut(b, c)]);
  if (above[2] !== above[3]) crossings.push([cut(d, c), 1]);
  if (above[3] !== above[0]) crossings.push([0, cut(a, d)]);
  const length = (/** @type {number} */ i, /** @type {number} */ j) =>
    Math.hypot(crossings[i][0] - crossings[j][0], crossings[i][1] - crossings[j][1]);
  if (crossings.length === 2) return length(0, 1);
  if (crossings.length < 4) return 0;
  return above[0] ? length(0, 3) + length(1, 2) : length(0, 1) + length(2, 3); // low values stay connected
}

/**
 * Root mean square of the differences from the mean colour, in CIELAB.
 * @param {Pixels} pixels
 * @param {Region} region
 * @param {{width: number, height: number}} size
 * @param {number} rim
 */
function colourVariegation(pixels, region, size, rim) {
  const all = { x0: 0, y0: 0, x1: pixels.width, y1: pixels.height };
  const rgb = resizeImage(pixels, all, size.width, size.height);
  const [sums, squares] = [[0, 0, 0], [0, 0, 0]];
  let count = 0;
  for (let y = 0; y < size.height; y++) {
    for (let x = 0; x < size.width; x++) {
      if (!region.data[(y + rim) * region.width + x + rim]) continue;
      const at = 3 * (y * size.width + x);
      count++;
      labOf(rgb[at], rgb[at + 1], rgb[at + 2]).forEach((value, channel) => {
        sums[channel] += value;
        squares[channel] += value * value;
      });
    }
  }
  const variances = sums.map((sum, channel) => squares[channel] / count - (sum / count) ** 2);
  return Math.sqrt(Math.max(0, variances[0] + variances[1] + variances[2]));
}

const LINEAR = Float64Array.from({ length: 256 }, (_, value) => {
  const share = value / 255;
  return share > 0.04045 ? ((share + 0.055) / 1.055) ** 2.4 : share / 12.92;
});

/** sRGB, 0..255, in CIELAB under the standard light D65. @param {number} r @param {number} g @param {number} b */
function labOf(r, g, b) {
  const [red, green, blue] = [LINEAR[r], LINEAR[g], LINEAR[b]];
  const x = compressed((0.412453 * red + 0.35758 * green + 0.180423 * blue) / 0.95047);
  const y = compressed(0.212671 * red + 0.71516 * green + 0.072169 * blue);
  const z = compressed((0.019334 * red + 0.119193 * green + 0.950227 * blue) / 1.08883);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** @param {number} value */
function compressed(value) {
  return value > 0.008856 ? Math.cbrt(value) : 7.787 * value + 16 / 116;
}

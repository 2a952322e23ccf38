// @ts-check
/**
 * Changes the size of images and maps as OpenCV does, so that page and command line see the same pixels: averaged over
 * their area where an image shrinks, interpolated linearly where it grows.
 */

/**
 * Pixels of an image, RGBA, 8 bits a channel.
 * @typedef {{data: Uint8Array | Uint8ClampedArray, width: number, height: number}} Pixels
 */

/**
 * A rectangle in pixels; `x1` and `y1` lie just outside.
 * @typedef {{x0: number, y0: number, x1: number, y1: number}} Box
 */

/**
 * What a pixel of the result is made of along one axis: `count` sources from `first` on, and their weights.
 * @typedef {{first: Int32Array, count: Int32Array, start: Int32Array, weights: Float32Array}} Shares
 */

/**
 * Two neighbouring sources for each pixel of the result along one axis, and the second one's weight.
 * @typedef {{low: Int32Array, high: Int32Array, part: Float32Array}} Steps
 */

const { fround, floor, min, max } = Math;
const SAME = 2 ** -52; // how close to a whole number OpenCV takes a scale for one
const FIXED = 2048; // one, in OpenCV's whole numbers

/**
 * Resize what lies in a box of an image; without its transparency.
 * @param {Pixels} pixels
 * @param {Box} box inside the image
 * @param {number} width
 * @param {number} height
 * @returns {Uint8Array} RGB, three values a pixel
 */
export function resizeImage(pixels, box, width, height) {
  const columns = box.x1 - box.x0;
  const rows = box.y1 - box.y0;
  if (columns === width && rows === height) return withoutAlpha(pixels, box);
  if (width * height < columns * rows && columns >= width && rows >= height) {
    const wide = columns / width;
    const high = rows / height;
    return isWhole(wide) && isWhole(high)
      ? averageBlocks(pixels, box, width, height, Math.round(wide), Math.round(high))
      : averageArea(pixels, box, width, height);
  }
  return interpolateImage(pixels, box, width, height, width * height < columns * rows ? areaSteps : steps);
}

/**
 * Resize a map, row by row, so that a large result need not be held.
 * @param {Float32Array | Uint8Array} map
 * @param {number} columns of the map
 * @param {number} rows of the map
 * @param {number} width
 * @param {number} height
 * @param {(row: Float32Array | Uint8Array, y: number) => void} take is given each row, in an array that is used again
 */
export function resizeMap(map, columns, rows, width, height, take) {
  if (columns === width && rows === height) {
    for (let y = 0; y < rows; y++) take(map.subarray(y * columns, (y + 1) * columns), y);
  } else if (width * height < columns * rows && columns >= width && rows >= height) {
    averageMap(map, columns, rows, width, height, take);
  } else {
    interpolateMap(map, columns, rows, width, height, width * height < columns * rows ? areaSteps : steps, take);
  }
}

/** @param {Pixels} pixels @param {Box} box */
function withoutAlpha({ data, width }, { x0, y0, x1, y1 }) {
  const rgb = new Uint8Array(3 * (x1 - x0) * (y1 - y0));
  let to = 0;
  for (let y = y0; y < y1; y++) {
    for (let from = 4 * (y * width + x0), end = 4 * (y * width + x1); from < end; from += 4) {
      rgb[to++] = data[from];
      rgb[to++] = data[from + 1];
      rgb[to++] = data[from + 2];
    }
  }
  return rgb;
}

/** @param {number} scale */
function isWhole(scale) {
  return Math.abs(scale - Math.round(scale)) < SAME;
}

/**
 * Means of whole blocks.
 * @param {Pixels} pixels
 * @param {Box} box
 * @param {number} width
 * @param {number} height
 * @param {number} wide of a block
 * @param {number} high of a block
 */
function averageBlocks(pixels, box, width, height, wide, high) {
  const rgb = new Uint8Array(3 * width * height);
  const sums = new Uint32Array(3 * width);
  const round = wide === 2 && high === 2 ? quarter : shareOf(wide * high);
  for (let y = 0, to = 0; y < height; y++) {
    sums.fill(0);
    for (let row = 0; row < high; row++) addBlocks(sums, pixels, box, width, wide, box.y0 + y * high + row);
    for (let i = 0; i < sums.length; i++) rgb[to++] = round(sums[i]);
  }
  return rgb;
}

/**
 * @param {Uint32Array} sums
 * @param {Pixels} pixels
 * @param {Box} box
 * @param {number} width
 * @param {number} wide
 * @param {number} y
 */
function addBlocks(sums, { data, width: columns }, { x0 }, width, wide, y) {
  let from = 4 * (y * columns + x0);
  for (let x = 0, at = 0; x < width; x++, at += 3) {
    let red = 0;
    let green = 0;
    let blue = 0;
    for (let i = 0; i < wide; i++, from += 4) {
      red += data[from];
      green += data[from + 1];
      blue += data[from + 2];
    }
    sums[at] += red;
    sums[at + 1] += green;
    sums[at + 2] += blue;
  }
}

/** @param {number} sum */
function quarter(sum) {
  return (sum + 2) >> 2;
}

/** @param {number} area */
function shareOf(area) {
  const share = fround(1 / area);
  return (/** @type {number} */ sum) => roundHalfToEven(fround(sum * share));
}

/**
 * Means over areas that cut through pixels.
 * @param {Pixels} pixels
 * @param {Box} box
 * @param {number} width
 * @param {number} height
 */
function averageArea(pixels, box, width, height) {
  const across = shares(box.x1 - box.x0, width);
  const down = shares(box.y1 - box.y0, height);
  const rgb = new Uint8Array(3 * width * height);
  const row = new Float32Array(3 * width);
  const sums = new Float32Array(3 * width);
  let summed = -1;
  for (let y = 0, to = 0; y < height; y++) {
    sums.fill(0);
    for (let i = 0; i < down.count[y]; i++) {
      const source = box.y0 + down.first[y] + i;
      if (source !== summed) sumAcross(row, pixels, box.x0, source, across);
      summed = source;
      const weight = down.weights[down.start[y] + i];
      for (let at = 0; at < row.length; at++) sums[at] = fround(sums[at] + fround(row[at] * weight));
    }
    for (let at = 0; at < sums.length; at++) rgb[to++] = min(255, roundHalfToEven(sums[at]));
  }
  return rgb;
}

/**
 * @param {Float32Array} row
 * @param {Pixels} pixels
 * @param {number} x0
 * @param {number} y
 * @param {Shares} across
 */
function sumAcross(row, { data, width }, x0, y, { first, count, start, weights }) {
  const line = 4 * (y * width + x0);
  for (let x = 0, to = 0; x < first.length; x++) {
    let red = 0;
    let green = 0;
    let blue = 0;
    let from = line + 4 * first[x];
    for (let i = start[x], end = start[x] + count[x]; i < end; i++, from += 4) {
      const weight = weights[i];
      red = fround(red + fround(data[from] * weight));
      green = fround(green + fround(data[from + 1] * weight));
      blue = fround(blue + fround(data[from + 2] * weight));
    }
    row[to++] = red;
    row[to++] = green;
    row[to++] = blue;
  }
}

/**
 * @param {Float32Array | Uint8Array} map
 * @param {number} columns
 * @param {number} rows
 * @param {number} width
 * @param {number} height
 * @param {(row: Float32Array | Uint8Array, y: number) => void} take
 */
function averageMap(map, columns, rows, width, height, take) {
  const across = shares(columns, width);
  const down = shares(rows, height);
  const sums = new Float32Array(width);
  for (let y = 0; y < height; y++) {
    sums.fill(0);
    for (let i = 0; i < down.count[y]; i++) {
      const line = (down.first[y] + i) * columns;
      const weight = down.weights[down.start[y] + i];
      for (let x = 0; x < width; x++) {
        let sum = 0;
        for (let j = 0; j < across.count[x]; j++) {
          sum = fround(sum + fround(map[line + across.first[x] + j] * across.weights[across.start[x] + j]));
        }
        sums[x] = fround(sums[x] + fround(sum * weight));
      }
    }
    take(sums, y);
  }
}

/**
 * Which sources each pixel of the result covers, and how much of it each of them fills.
 * @param {number} from length
 * @param {number} to length
 * @returns {Shares}
 */
function shares(from, to) {
  const scale = 1 / (to / from);
  const parts = { first: new Int32Array(to), count: new Int32Array(to), start: new Int32Array(to) };
  const weights = [];
  for (let at = 0; at < to; at++) {
    const begin = at * scale;
    const end = begin + scale;
    const cell = min(scale, from - begin);
    const first = min(Math.ceil(begin), min(floor(end), from - 1));
    const last = min(floor(end), from - 1);
    parts.start[at] = weights.length;
    parts.first[at] = first - begin > 1e-3 ? first - 1 : first;
    if (first - begin > 1e-3) weights.push((first - begin) / cell);
    for (let i = first; i < last; i++) weights.push(1 / cell);
    if (end - last > 1e-3) weights.push(min(min(end - last, 1), cell) / cell);
    parts.count[at] = weights.length - parts.start[at];
  }
  return { ...parts, weights: new Float32Array(weights) };
}

/**
 * @param {Pixels} pixels
 * @param {Box} box
 * @param {number} width
 * @param {number} height
 * @param {typeof steps} stepsOf
 */
function interpolateImage(pixels, box, width, height, stepsOf) {
  const across = stepsOf(box.x1 - box.x0, width);
  const down = stepsOf(box.y1 - box.y0, height);
  const rgb = new Uint8Array(3 * width * height);
  const upper = new Int32Array(3 * width);
  const lower = new Int32Array(3 * width);
  for (let y = 0, to = 0; y < height; y++) {
    mixAcross(upper, pixels, box.x0, box.y0 + down.low[y], across);
    mixAcross(lower, pixels, box.x0, box.y0 + down.high[y], across);
    const second = roundHalfToEven(fround(down.part[y] * FIXED));
    const first = roundHalfToEven(fround(fround(1 - down.part[y]) * FIXED));
    for (let at = 0; at < upper.length; at++) {
      rgb[to++] = (((first * (upper[at] >> 4)) >> 16) + ((second * (lower[at] >> 4)) >> 16) + 2) >> 2;
    }
  }
  return rgb;
}

/**
 * @param {Int32Array} row
 * @param {Pixels} pixels
 * @param {number} x0
 * @param {number} y
 * @param {Steps} across
 */
function mixAcross(row, { data, width }, x0, y, { low, high, part }) {
  const line = 4 * (y * width + x0);
  for (let x = 0, to = 0; x < low.length; x++) {
    const second = roundHalfToEven(fround(part[x] * FIXED));
    const first = roundHalfToEven(fround(fround(1 - part[x]) * FIXED));
    const left = line + 4 * low[x];
    const right = line + 4 * high[x];
    for (let channel = 0; channel < 3; channel++) {
      row[to++] = data[left + channel] * first + data[right + channel] * second;
    }
  }
}

/**
 * @param {Float32Array | Uint8Array} map
 * @param {number} columns
 * @param {number} rows
 * @param {number} width
 * @param {number} height
 * @param {typeof steps} stepsOf
 * @param {(row: Float32Array | Uint8Array, y: number) => void} take
 */
function interpolateMap(map, columns, rows, width, height, stepsOf, take) {
  const across = stepsOf(columns, width);
  const down = stepsOf(rows, height);
  const result = new Float32Array(width);
  /** @type {Map<number, Float32Array>} */
  const mixed = new Map();
  const mix = (/** @type {number} */ y) => {
    const known = mixed.get(y);
    if (known) return known;
    for (const old of mixed.keys()) if (old < y - 1) mixed.delete(old);
    const row = mixRow(map.subarray(y * columns, (y + 1) * columns), across);
    mixed.set(y, row);
    return row;
  };
  for (let y = 0; y < height; y++) {
    const upper = mix(down.low[y]);
    const lower = mix(down.high[y]);
    for (let x = 0; x < width; x++) result[x] = upper[x] + fround(lower[x] - upper[x]) * down.part[y];
    take(result, y);
  }
}

/** @param {Float32Array | Uint8Array} row @param {Steps} across */
function mixRow(row, { low, high, part }) {
  const mixed = new Float32Array(low.length);
  for (let x = 0; x < mixed.length; x++) {
    mixed[x] = row[low[x]] + fround(row[high[x]] - row[low[x]]) * part[x]; // rounded once, as by a fused multiply-add
  }
  return mixed;
}

/**
 * The neighbours of each pixel's centre.
 * @param {number} from length
 * @param {number} to length
 * @returns {Steps}
 */
function steps(from, to) {
  const scale = 1 / (to / from);
  return stepsAt(from, to, (at) => (at + 0.5) * scale - 0.5);
}

/**
 * The neighbours where an image shrinks along one axis and grows along the other.
 * @param {number} from length
 * @param {number} to length
 * @returns {Steps}
 */
function areaSteps(from, to) {
  const inverse = to / from;
  const scale = 1 / inverse;
  return stepsAt(from, to, (at) => {
    const low = floor(at * scale);
    const part = fround(at + 1 - (low + 1) * inverse);
    return low + (part <= 0 ? 0 : fround(part - floor(part)));
  });
}

/**
 * @param {number} from
 * @param {number} to
 * @param {(at: number) => number} place
 */
function stepsAt(from, to, place) {
  const result = { low: new Int32Array(to), high: new Int32Array(to), part: new Float32Array(to) };
  for (let at = 0; at < to; at++) {
    const exact = place(at);
    const low = floor(exact);
    result.low[at] = min(max(low, 0), from - 1);
    result.high[at] = min(max(low + 1, 0), from - 1);
    result.part[at] = exact - low; // at the edges, both are the same source
  }
  return result;
}

/**
 * As Python and OpenCV round: a half goes to the even neighbour.
 * @param {number} value
 */
export function roundHalfToEven(value) {
  const low = floor(value);
  const rest = value - low;
  if (rest !== 0.5) return rest < 0.5 ? low : low + 1;
  return low % 2 === 0 ? low : low + 1;
}

// @ts-check
/** The border of a mask, as a line of a few points. */

/** @typedef {import("./mask.js").Mask} Mask */

const AROUND = [[1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0], [-1, -1], [0, -1], [1, -1]];

/**
 * The border of the lesion as the path of an SVG in pixels of the mask; empty where there is none.
 * @param {Mask} mask
 */
export function contourPath(mask) {
  if (!mask.bounds) return "";
  const tolerance = Math.max(mask.width, mask.height) / 1000; // a screen shows no finer steps
  const points = simplified(border(mask), tolerance).map(([x, y]) => `${x + 0.5},${y + 0.5}`);
  return `M${points.join(" ")}Z`;
}

/**
 * The border's pixels, one after the other, clockwise.
 * @param {Mask} mask with a lesion
 * @returns {number[][]}
 */
function border({ data, width, height, bounds }) {
  const isLesion = (/** @type {number} */ x, /** @type {number} */ y) =>
    x >= 0 && y >= 0 && x < width && y < height && data[y * width + x] === 1;
  const y0 = bounds?.y0 ?? 0;
  const start = [data.indexOf(1, y0 * width) - y0 * width, y0];
  const points = [];
  let [x, y] = start;
  let heading = 0;
  let first = -1;
  for (;;) {
    const next = [0, 1, 2, 3, 4, 5, 6, 7]
      .map((turn) => (heading + 6 + turn) % 8)
      .find((way) => isLesion(x + AROUND[way][0], y + AROUND[way][1]));
    if (next === undefined) return [start];
    if (x === start[0] && y === start[1]) {
      if (next === first) return points;
      if (first < 0) first = next;
    }
    points.push([x, y]);
    x += AROUND[next][0];
    y += AROUND[next][1];
    heading = next % 2 ? next - 1 : next;
  }
}

/**
 * Douglas and Peucker's choice of points: no point that is left out lies further than the tolerance from the line.
 * @param {number[][]} points of a closed line
 * @param {number} tolerance
 */
function simplified(points, tolerance) {
  if (points.length < 4) return points;
  const keep = new Uint8Array(points.length);
  const far = farthest(points, 0, points.length - 1, points[0], points[0]).at;
  keep[0] = keep[far] = 1;
  const spans = [[0, far], [far, points.length - 1]];
  keep[points.length - 1] = 1;
  for (let span = spans.pop(); span; span = spans.pop()) {
    const [from, to] = span;
    const { at, distance } = farthest(points, from, to, points[from], points[to]);
    if (distance <= tolerance) continue;
    keep[at] = 1;
    spans.push([from, at], [at, to]);
  }
  return points.filter((_, at) => keep[at]);
}

/**
 * @param {number[][]} points
 * @param {number} from
 * @param {number} to
 * @param {number[]} a
 * @param {number[]} b
 */
function farthest(points, from, to, a, b) {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const length = Math.hypot(dx, dy);
  let best = { at: from, distance: 0 };
  for (let at = from + 1; at < to; at++) {
    const [x, y] = [points[at][0] - a[0], points[at][1] - a[1]];
    const distance = length ? Math.abs(dx * y - dy * x) / length : Math.hypot(x, y);
    if (distance > best.distance) best = { at, distance };
  }
  return best;
}

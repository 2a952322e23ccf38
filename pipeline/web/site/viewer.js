// @ts-check
/** The picture with the lesion's contour, the activation map, and a box to drag. */

import { drawing, element } from "./elements.js";
import { limit } from "./mask.js";
import { resizeMap } from "./resizing.js";

/**
 * @typedef {import("./constants.js").Constants} Constants
 * @typedef {import("./prediction.js").Prediction} Prediction
 * @typedef {{x0: number, y0: number, side: number}} Square
 * @typedef {{x: number, y: number}} Point
 */

const SMALLEST_BOX = 16;
const REPORT_DELAY = 400; // ms after the last key, so that a held key is one change
const EVIDENCE_SIDE = 224;
const CORNERS = [[0, 0], [1, 0], [0, 1], [1, 1]];

export class Viewer {
  /**
   * @param {Constants} constants
   * @param {(box: Square) => void} report is called when the reader has moved or drawn the box
   */
  constructor(constants, report) {
    this.constants = constants;
    this.report = report;
    /** @type {Square} */
    this.square = { x0: 0, y0: 0, side: 0 };
    this.size = { width: 1, height: 1 };
    this.photo = /** @type {HTMLImageElement} */ (element("img", { class: "photo" }));
    this.evidence = /** @type {HTMLCanvasElement} */ (
      element("canvas", { class: "evidence", width: EVIDENCE_SIDE, height: EVIDENCE_SIDE, "aria-hidden": "true" })
    );
    this.paths = ["halo", "contour"].map((name) => drawing("path", { class: name }));
    this.rectangles = ["halo", ""].map((name) => drawing("rect", { class: name }));
    this.corners = CORNERS.map(([right, down]) => drawing("circle", { "data-corner": `${right} ${down}` }));
    this.box = /** @type {SVGGElement} */ (
      drawing(
        "g",
        { class: "box", tabindex: 0, role: "group", keydown: (/** @type {KeyboardEvent} */ e) => this.onKey(e) },
        this.rectangles[1],
        ...this.corners,
      )
    );
    this.box.setAttribute("aria-label", "Box of the crop. Arrow keys move it, plus and minus change its size.");
    this.svg = /** @type {SVGSVGElement} */ (
      drawing("svg", { role: "group" }, ...this.paths, this.rectangles[0], this.box)
    );
    this.svg.addEventListener("pointerdown", (event) => this.onPointer(event));
    this.element = element("div", { class: "viewer" }, element("div", { class: "picture" }, this.photo, this.evidence, this.svg));
  }

  /**
   * @param {string} address of the photo
   * @param {Prediction} prediction
   * @param {number} explained index of the class whose evidence is laid over
   */
  show(address, prediction, explained) {
    this.size = { width: prediction.width, height: prediction.height };
    if (this.photo.getAttribute("src") !== address) this.photo.src = address;
    this.photo.alt = describe(prediction, this.constants);
    this.svg.setAttribute("viewBox", `0 0 ${prediction.width} ${prediction.height}`);
    this.svg.setAttribute("aria-label", "What was found in the image");
    for (const path of this.paths) path.setAttribute("d", prediction.contour);
    this.box.classList.toggle("whole", prediction.view === "full");
    this.draw(squareOf(prediction));
    this.place(prediction.view === "full" ? null : this.square);
    this.paint(prediction, explained);
  }

  /** @param {number} opacity 0..1 of the evidence */
  fade(opacity) {
    this.evidence.style.opacity = String(opacity);
  }

  /** @param {boolean} visible whether contour and box are */
  lines(visible) {
    this.svg.classList.toggle("plain", !visible);
  }

  /** Lay the evidence over what the classifier saw. @param {Square | null} square */
  place(square) {
    const { width, height } = this.size;
    const part = square ?? { x0: 0, y0: 0, side: 0 };
    this.evidence.style.left = `${(100 * part.x0) / width}%`;
    this.evidence.style.top = `${(100 * part.y0) / height}%`;
    this.evidence.style.width = square ? `${(100 * part.side) / width}%` : "100%";
    this.evidence.style.height = square ? `${(100 * part.side) / height}%` : "100%";
  }

  /** @param {Prediction} prediction @param {number} explained */
  paint({ activation, activationSide: { width, height } }, explained) {
    const classes = this.constants.classes.length;
    const map = Float32Array.from({ length: width * height }, (_, at) => activation[at * classes + explained]);
    const least = Math.min(...map);
    const range = Math.max(Math.max(...map) - least, 1e-9);
    const image = new ImageData(EVIDENCE_SIDE, EVIDENCE_SIDE);
    resizeMap(map.map((value) => (value - least) / range), width, height, EVIDENCE_SIDE, EVIDENCE_SIDE, (row, y) => {
      row.forEach((/** @type {number} */ share, /** @type {number} */ x) => {
        const value = limit(Math.round(255 * share), 0, 255);
        image.data.set([...this.constants.viridis[value], value], 4 * (y * EVIDENCE_SIDE + x));
      });
    });
    this.evidence.getContext("2d")?.putImageData(image, 0, 0);
  }

  /** @param {Square} square */
  draw(square) {
    this.square = square;
    const { x0, y0, side } = square;
    const radius = Math.max(this.size.width, this.size.height) / 60;
    for (const rectangle of this.rectangles) set(rectangle, { x: x0, y: y0, width: side, height: side });
    this.corners.forEach((corner, at) => {
      const [right, down] = CORNERS[at];
      set(corner, { cx: x0 + right * side, cy: y0 + down * side, r: radius });
    });
  }

  /** @param {Square} square @returns {Square} */
  inside({ x0, y0, side }) {
    const { width, height } = this.size;
    const length = Math.round(limit(side, Math.min(SMALLEST_BOX, width, height), Math.min(width, height)));
    return {
      x0: Math.round(limit(x0, 0, width - length)),
      y0: Math.round(limit(y0, 0, height - length)),
      side: length,
    };
  }

  /** The square that spans from a fixed corner towards a point, as far as the image goes. @param {Point} fixed @param {Point} point */
  spanned(fixed, point) {
    const [right, down] = [point.x >= fixed.x, point.y >= fixed.y];
    const { width, height } = this.size;
    const room = Math.min(right ? width - fixed.x : fixed.x, down ? height - fixed.y : fixed.y);
    const side = Math.min(Math.max(Math.abs(point.x - fixed.x), Math.abs(point.y - fixed.y)), room);
    return this.inside({ x0: right ? fixed.x : fixed.x - side, y0: down ? fixed.y : fixed.y - side, side });
  }

  /** @param {PointerEvent} event @returns {Point} in pixels of the image */
  pointIn(event) {
    const matrix = this.svg.getScreenCTM()?.inverse();
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix);
    return { x: limit(point.x, 0, this.size.width), y: limit(point.y, 0, this.size.height) };
  }

  /** @param {SVGElement} target @param {Point} start @returns {(point: Point) => Square} */
  movement(target, start) {
    const from = this.square;
    if (target.dataset.corner) {
      const [right, down] = target.dataset.corner.split(" ").map(Number);
      const fixed = { x: from.x0 + (1 - right) * from.side, y: from.y0 + (1 - down) * from.side };
      return (point) => this.spanned(fixed, point);
    }
    if (this.box.contains(target)) {
      return (point) => this.inside({ ...from, x0: from.x0 + point.x - start.x, y0: from.y0 + point.y - start.y });
    }
    return (point) => this.spanned(start, point);
  }

  /** @param {PointerEvent} event */
  onPointer(event) {
    const target = /** @type {SVGElement} */ (event.target);
    // A finger beside the box scrolls the page.
    if (event.button !== 0 || (event.pointerType === "touch" && !this.box.contains(target))) return;
    const before = this.square;
    const move = this.movement(target, this.pointIn(event));
    const moved = (/** @type {PointerEvent} */ now) => this.draw(move(this.pointIn(now)));
    const ended = () => {
      this.svg.removeEventListener("pointermove", moved);
      for (const name of /** @type {const} */ (["pointerup", "pointercancel"])) this.svg.removeEventListener(name, ended);
      const { x0, y0, side } = this.square;
      if (x0 !== before.x0 || y0 !== before.y0 || side !== before.side) this.report(this.square);
    };
    this.svg.setPointerCapture(event.pointerId);
    this.svg.addEventListener("pointermove", moved);
    for (const name of /** @type {const} */ (["pointerup", "pointercancel"])) this.svg.addEventListener(name, ended);
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const step = Math.max(1, Math.round(Math.max(this.size.width, this.size.height) / 100));
    const change = /** @type {Record<string, number[]>} */ ({
      ArrowLeft: [-1, 0, 0], ArrowRight: [1, 0, 0], ArrowUp: [0, -1, 0], ArrowDown: [0, 1, 0],
      "+": [-1, -1, 2], "=": [-1, -1, 2], "-": [1, 1, -2],
    })[event.key];
    if (!change) return;
    event.preventDefault();
    const [right, down, wider] = change;
    const { x0, y0, side } = this.square;
    this.draw(this.inside({ x0: x0 + right * step, y0: y0 + down * step, side: side + wider * step }));
    clearTimeout(this.pending);
    this.pending = setTimeout(() => this.report(this.square), REPORT_DELAY);
  }
}

/** The box of a prediction; without one, half the shorter side in the middle. @param {Prediction} prediction */
function squareOf({ box, width, height }) {
  if (box) return { x0: box.x0, y0: box.y0, side: box.x1 - box.x0 };
  const side = Math.round(Math.min(width, height) / 2);
  return { x0: Math.round((width - side) / 2), y0: Math.round((height - side) / 2), side };
}

/** The picture in words, for those who can't see it. @param {Prediction} prediction @param {Constants} constants */
function describe(prediction, { classes }) {
  const found = prediction.contour
    ? `a lesion that covers ${Math.round(100 * prediction.lesionFraction)}% of it`
    : "no lesion";
  const { side, x0, y0 } = squareOf(prediction);
  const seen = prediction.view === "full"
    ? "the whole image"
    : `a square of ${side} pixels, ${x0} from the left and ${y0} from the top`;
  return `The image with ${found}. The classifier saw ${seen}: ${classes[prediction.diagnosis].name}.`;
}

/** @param {Element} target @param {Record<string, number>} attributes */
function set(target, attributes) {
  for (const [name, value] of Object.entries(attributes)) target.setAttribute(name, String(value));
}

// @ts-check
/** From an image file to pixels, in no more detail than their use asks for. */

import { damaged, ImageProblem, readHeader } from "./headers.js";
import { roundHalfToEven } from "./resizing.js";

/**
 * @typedef {import("./resizing.js").Box} Box
 * @typedef {import("./resizing.js").Pixels} Pixels
 * @typedef {{width: number, height: number}} Size
 * @typedef {import("./constants.js").Limits} Limits
 */

const STRIP = 2 ** 21; // pixels that are read from the browser's memory at once

/** An image file that is decoded, until it is closed. */
export class Photograph {
  /**
   * @param {ImageBitmap} bitmap as the image is looked at: turned as its file says
   * @param {boolean} reducible whether its pixels may be reduced when they are read: those of a JPEG file
   */
  constructor(bitmap, reducible) {
    this.bitmap = bitmap;
    this.reducible = reducible;
    this.width = bitmap.width;
    this.height = bitmap.height;
  }

  /**
   * @param {Blob} file
   * @param {Limits} limits
   * @returns {Promise<Photograph>}
   * @throws {ImageProblem}
   */
  static async open(file, limits) {
    const header = readHeader(await file.arrayBuffer());
    checkSize(header, limits);
    try {
      const bitmap = await createImageBitmap(file, { colorSpaceConversion: "none", imageOrientation: "from-image" });
      return new Photograph(bitmap, header.format === "JPEG");
    } catch {
      throw damaged(header.format);
    }
  }

  close() {
    this.bitmap.close();
  }

  /**
   * By how much the pixels are reduced: an eighth, a quarter, a half or not at all, and never below `enough`.
   * @param {Size} enough
   */
  reduction(enough) {
    if (!this.reducible) return 1;
    const most = Math.min(Math.floor(this.width / enough.width), Math.floor(this.height / enough.height));
    return [8, 4, 2].find((times) => most >= times) ?? 1;
  }

  /** The whole image, no smaller than `enough`. @param {Size} enough */
  whole(enough) {
    return this.pixels(this.reduction(enough), { x0: 0, y0: 0, x1: this.width, y1: this.height });
  }

  /**
   * What lies in a box, no smaller than `enough` where the image itself is not; in the pixels that `whole` read, if
   * they are enough.
   * @param {Box} box
   * @param {Size} enough for the part
   * @param {Size} enoughWhole as `whole` was asked for
   */
  part(box, enough, enoughWhole) {
    const times = this.reduction(enoughWhole);
    if (times === 1) return this.pixels(1, box);
    const [width, height] = [box.x1 - box.x0, box.y1 - box.y0];
    const tooFew =
      height * reduced(this.height, times) < enough.height * this.height ||
      width * reduced(this.width, times) < enough.width * this.width;
    if (!tooFew) return this.pixels(times, box);
    const whole = {
      width: Math.ceil((enough.width * this.width) / width),
      height: Math.ceil((enough.height * this.height) / height),
    };
    return this.pixels(this.reduction(whole), box);
  }

  /**
   * The reduced pixels that a box of the image falls on.
   * @param {number} times
   * @param {Box} box in pixels of the image
   * @returns {Pixels}
   */
  pixels(times, box) {
    const across = reduced(this.width, times) / this.width;
    const down = reduced(this.height, times) / this.height;
    const x0 = roundHalfToEven(box.x0 * across);
    const y0 = roundHalfToEven(box.y0 * down);
    const width = roundHalfToEven(box.x1 * across) - x0;
    const height = roundHalfToEven(box.y1 * down) - y0;
    const data = new Uint8ClampedArray(4 * width * height);
    const rows = Math.max(1, Math.floor(STRIP / (width * times * times)));
    const canvas = new OffscreenCanvas(width * times, Math.min(rows, height) * times);
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (
      canvas.getContext("2d", { alpha: false, willReadFrequently: true })
    );
    for (let y = 0; y < height; y += rows) {
      const strip = Math.min(rows, height - y);
      context.fillStyle = "#fff"; // transparency is laid on white
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.drawImage(this.bitmap, -x0 * times, -(y0 + y) * times);
      const image = context.getImageData(0, 0, width * times, strip * times);
      const inside = { width: this.width - x0 * times, height: this.height - (y0 + y) * times };
      if (times === 1) data.set(image.data, 4 * width * y);
      else averageBlocks(image, times, inside, data.subarray(4 * width * y));
    }
    return { data, width, height };
  }
}

/** @param {import("./headers.js").Header} header @param {Limits} limits */
function checkSize({ format, width, height }, limits) {
  const most = format === "JPEG" ? limits.most_jpeg_pixels : limits.most_pixels;
  if (width * height > most) {
    throw new ImageProblem(
      `${width} x ${height} pixels are more than the ${most / 1e6} million that are read; ` +
        "scale the image down.",
    );
  }
  if (Math.min(width, height) < limits.smallest_side) {
    throw new ImageProblem(
      `${width} x ${height} pixels are too few, each side needs at least ${limits.smallest_side}; ` +
        "give the image in its original size.",
    );
  }
}

/** @param {number} length @param {number} times */
function reduced(length, times) {
  return Math.ceil(length / times);
}

/**
 * The mean of each block, of the part of it that is inside the image.
 * @param {ImageData} image
 * @param {number} times side of a block
 * @param {Size} inside how far the image goes
 * @param {Uint8ClampedArray} means which rounds a half to the even neighbour, so that no image gets brighter
 */
function averageBlocks({ data, width, height }, times, inside, means) {
  for (let y = 0, to = 0; y < height; y += times) {
    const rows = Math.min(times, inside.height - y);
    for (let x = 0; x < width; x += times, to += 4) {
      const columns = Math.min(times, inside.width - x);
      let [red, green, blue] = [0, 0, 0];
      for (let row = 0; row < rows; row++) {
        let from = 4 * ((y + row) * width + x);
        for (let column = 0; column < columns; column++, from += 4) {
          red += data[from];
          green += data[from + 1];
          blue += data[from + 2];
        }
      }
      const count = rows * columns;
      means[to] = red / count;
      means[to + 1] = green / count;
      means[to + 2] = blue / count;
    }
  }
}

// @ts-check
/** What the first bytes of an image file tell: its format and its size, before any pixel is decoded. */

/** An image that can't be used; the message says what is wrong and the mend. */
export class ImageProblem extends Error {
  name = "ImageProblem";
}

/**
 * @typedef {"JPEG" | "PNG" | "BMP" | "WebP"} Format
 * @typedef {{format: Format, width: number, height: number}} Header sides as they are stored, before any turn
 */

/** @type {[string, number[]][]} */
const SIGNATURES = [
  ["JPEG", [0xff, 0xd8, 0xff]],
  ["PNG", [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ["BMP", [0x42, 0x4d]],
  ["TIFF", [0x49, 0x49, 0x2a, 0]],
  ["TIFF", [0x4d, 0x4d, 0, 0x2a]],
  ["TIFF", [0x49, 0x49, 0x2b, 0]],
  ["TIFF", [0x4d, 0x4d, 0, 0x2b]],
];

/**
 * @param {ArrayBuffer} content of the file
 * @returns {Header}
 * @throws {ImageProblem} where the content is no image that a browser reads
 */
export function readHeader(content) {
  const view = new DataView(content);
  const format = formatOf(new Uint8Array(content, 0, Math.min(16, content.byteLength)));
  if (view.byteLength === 0) throw new ImageProblem("the file is empty; copy it again from where it came.");
  if (format === "TIFF") {
    throw new ImageProblem("browsers read no TIFF images; save it as PNG, or use the command line.");
  }
  if (format === null) {
    throw new ImageProblem("this is no JPEG, PNG, BMP or WebP image; convert it to one of these.");
  }
  try {
    if (isWhole[format](view)) return { format, ...sizes[format](view) };
  } catch (error) {
    if (error instanceof ImageProblem) throw error; // else the header itself is cut short
  }
  throw damaged(format);
}

/** @param {string} format */
export function damaged(format) {
  return new ImageProblem(
    `the ${format} data are cut short, damaged or of an unsupported kind; ` +
      "copy the file again or save it as an 8-bit RGB image.",
  );
}

/** @param {Uint8Array} start @returns {Format | "TIFF" | null} */
function formatOf(start) {
  const text = String.fromCharCode(...start);
  if (text.startsWith("RIFF") && text.slice(8, 12) === "WEBP") return "WebP";
  const known = SIGNATURES.find(([, bytes]) => bytes.every((byte, at) => start[at] === byte));
  return known ? /** @type {Format | "TIFF"} */ (known[0]) : null;
}

/** @type {Record<Format, (view: DataView) => {width: number, height: number}>} */
const sizes = { JPEG: jpegSize, PNG: pngSize, BMP: bmpSize, WebP: webpSize };

/**
 * Whether a file reaches to its end: browsers show what there is of one that was cut short.
 * @type {Record<Format, (view: DataView) => boolean>}
 */
const isWhole = {
  JPEG: endsJpeg,
  PNG: endsPng,
  BMP: (view) => view.getUint32(10, true) < view.byteLength,
  WebP: (view) => view.getUint32(4, true) + 8 <= view.byteLength,
};

/** @param {DataView} view */
function endsJpeg(view) {
  let at = view.byteLength - 2;
  while (at > 2 && view.getUint16(at) !== 0xffd9) {
    if (view.getUint16(at) === 0xffda) return false; // the pixels begin and don't end
    at--;
  }
  return at > 2;
}

/** Whether a PNG file has all its parts, each with the checksum that it names. @param {DataView} view */
function endsPng(view) {
  for (let at = 8; ; ) {
    const end = at + 8 + view.getUint32(at);
    if (checksum(view, at + 4, end) !== view.getUint32(end)) return false;
    if (view.getUint32(at + 4) === 0x49454e44) return true; // IEND
    at = end + 4;
  }
}

const CHECKSUMS = Uint32Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit++) byte = byte & 1 ? 0xedb88320 ^ (byte >>> 1) : byte >>> 1;
  return byte;
});

/** CRC-32, as PNG has it. @param {DataView} view @param {number} start @param {number} end */
function checksum(view, start, end) {
  const bytes = new Uint8Array(view.buffer, start, end - start);
  let sum = 0xffffffff;
  for (let at = 0; at < bytes.length; at++) sum = CHECKSUMS[(sum ^ bytes[at]) & 0xff] ^ (sum >>> 8);
  return (sum ^ 0xffffffff) >>> 0;
}

/** @param {DataView} view */
function jpegSize(view) {
  let at = 2;
  for (;;) {
    while (view.getUint8(at) !== 0xff) at++;
    while (view.getUint8(at) === 0xff) at++;
    const marker = view.getUint8(at++);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return { height: view.getUint16(at + 3), width: view.getUint16(at + 5) };
    if (marker === 0xda || marker === 0xd9) throw new RangeError("no frame before the scan");
    const alone = marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7);
    if (!alone) at += view.getUint16(at);
  }
}

/** @param {DataView} view */
function pngSize(view) {
  return { width: view.getUint32(16), height: view.getUint32(20) };
}

/** @param {DataView} view */
function bmpSize(view) {
  if (view.getUint32(14, true) === 12) return { width: view.getUint16(18, true), height: view.getUint16(20, true) };
  return { width: view.getInt32(18, true), height: Math.abs(view.getInt32(22, true)) };
}

/** @param {DataView} view */
function webpSize(view) {
  const kind = view.getUint8(15);
  if (kind === 0x58 && webpTurn(view) > 1) {
    throw new ImageProblem("browsers don't turn a WebP image as its camera says; save it as JPEG or PNG.");
  }
  if (kind === 0x58) return { width: uint24(view, 24) + 1, height: uint24(view, 27) + 1 };
  if (kind === 0x4c) {
    const bits = view.getUint32(21, true);
    return { width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 };
  }
  return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
}

/** The EXIF orientation of a WebP file, 1 to 8. @param {DataView} view */
function webpTurn(view) {
  for (let at = 12; at + 8 <= view.byteLength; ) {
    const length = view.getUint32(at + 4, true);
    if (view.getUint32(at) === 0x45584946) return exifTurn(view, at + 8); // "EXIF"
    at += 8 + length + (length % 2);
  }
  return 1;
}

/** @param {DataView} view @param {number} start of the EXIF data */
function exifTurn(view, start) {
  const tiff = view.getUint32(start) === 0x45786966 ? start + 6 : start; // some begin with "Exif" once more
  const little = view.getUint16(tiff) === 0x4949;
  const table = tiff + view.getUint32(tiff + 4, little);
  for (let entry = 0; entry < view.getUint16(table, little); entry++) {
    const at = table + 2 + 12 * entry;
    if (view.getUint16(at, little) === 0x0112) return view.getUint16(at + 8, little);
  }
  return 1;
}

/** @param {DataView} view @param {number} at */
function uint24(view, at) {
  return view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
}

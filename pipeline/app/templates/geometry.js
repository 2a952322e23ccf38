const SMALLEST_BOX = 16;
const limit = (value, low, high) => Math.min(Math.max(value, low), high);

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
}

/* A square that lies inside the image, in whole pixels. */
function insideImage({ x0, y0, side }, { width, height }) {
  const length = Math.round(limit(side, SMALLEST_BOX, Math.min(width, height)));
  return {
    x0: Math.round(limit(x0, 0, width - length)),
    y0: Math.round(limit(y0, 0, height - length)),
    side: length,
  };
}

/* The square that spans from a fixed corner towards a point, as far as the image goes. */
function spanned(fixed, point, image) {
  const [right, down] = [point.x >= fixed.x, point.y >= fixed.y];
  const room = Math.min(right ? image.width - fixed.x : fixed.x, down ? image.height - fixed.y : fixed.y);
  const side = Math.min(Math.max(Math.abs(point.x - fixed.x), Math.abs(point.y - fixed.y)), room);
  return insideImage({ x0: right ? fixed.x : fixed.x - side, y0: down ? fixed.y : fixed.y - side, side }, image);
}

/* How dragging from an element changes the box: a corner stretches it, its inside moves it, elsewhere draws anew. */
function boxMovement(target, box, from, start, image) {
  if (target.dataset.corner) {
    const [right, down] = target.dataset.corner.split(" ").map(Number);
    const fixed = { x: from.x0 + (1 - right) * from.side, y: from.y0 + (1 - down) * from.side };
    return (point) => spanned(fixed, point, image);
  }
  if (box.contains(target)) {
    return (point) => insideImage({ ...from, x0: from.x0 + point.x - start.x, y0: from.y0 + point.y - start.y }, image);
  }
  return (point) => spanned(start, point, image);
}

/* The box after a key, or null for a key that does nothing. */
function boxAfterKey(key, { x0, y0, side }, image) {
  const step = Math.max(1, Math.round(Math.max(image.width, image.height) / 100));
  const change = {
    ArrowLeft: [-1, 0, 0], ArrowRight: [1, 0, 0], ArrowUp: [0, -1, 0], ArrowDown: [0, 1, 0],
    "+": [-1, -1, 2], "=": [-1, -1, 2], "-": [1, 1, -2],
  }[key];
  if (!change) return null;
  const [right, down, wider] = change;
  return insideImage({ x0: x0 + right * step, y0: y0 + down * step, side: side + wider * step }, image);
}

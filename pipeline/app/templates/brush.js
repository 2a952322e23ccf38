const MASK_SIDE = 640; // of the drawn mask's longer side, in its own pixels
const MOST_UNDONE = 20;
const DIRECTIONS = 24;
const TINT = "rgba(72, 232, 214, 0.45)";

/* The mask that the reader paints, on a canvas of its own. */
class Brush {
  constructor(image) {
    const scale = Math.min(1, MASK_SIDE / Math.max(image.width, image.height));
    this.scale = scale;
    this.canvas = document.createElement("canvas");
    this.canvas.width = Math.round(image.width * scale);
    this.canvas.height = Math.round(image.height * scale);
    this.pen = this.canvas.getContext("2d", { willReadFrequently: true });
    this.earlier = [];
  }

  /* Begin with a contour, an SVG path through the middles of the border's pixels, which belong to the lesion. */
  begin(path) {
    this.contour = path;
    this.pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.pen.save();
    this.pen.scale(this.scale, this.scale);
    this.pen.fillStyle = this.pen.strokeStyle = "#ffffff";
    this.pen.lineWidth = 1;
    this.pen.lineJoin = "round";
    this.pen.fill(new Path2D(path));
    this.pen.stroke(new Path2D(path));
    this.pen.restore();
  }

  remember() {
    this.earlier.push(this.copy());
    if (this.earlier.length > MOST_UNDONE) this.earlier.shift();
  }

  undo() {
    const last = this.earlier.pop();
    if (!last) return;
    this.pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.pen.drawImage(last, 0, 0);
  }

  copy() {
    const copy = document.createElement("canvas");
    [copy.width, copy.height] = [this.canvas.width, this.canvas.height];
    copy.getContext("2d").drawImage(this.canvas, 0, 0);
    return copy;
  }

  /* Paint or erase a line between two points of the image. */
  stroke(from, to, thickness, erases) {
    const { pen, scale } = this;
    pen.save();
    pen.globalCompositeOperation = erases ? "destination-out" : "source-over";
    pen.strokeStyle = "#ffffff";
    pen.lineCap = pen.lineJoin = "round";
    pen.lineWidth = thickness * scale;
    pen.beginPath();
    pen.moveTo(from.x * scale, from.y * scale);
    pen.lineTo(to.x * scale + 0.01, to.y * scale);
    pen.stroke();
    pen.restore();
  }

  /* Widen the mask by some of its own pixels on every side. */
  grow(radius) {
    const before = this.copy();
    for (let number = 0; number < DIRECTIONS; number++) {
      const angle = (2 * Math.PI * number) / DIRECTIONS;
      this.pen.drawImage(before, radius * Math.cos(angle), radius * Math.sin(angle));
    }
  }

  /* Narrow it: the ground grows. */
  shrink(radius) {
    const { width, height } = this.canvas;
    const ground = document.createElement("canvas");
    [ground.width, ground.height] = [width, height];
    const pen = ground.getContext("2d");
    pen.fillRect(0, 0, width, height);
    pen.globalCompositeOperation = "destination-out";
    pen.drawImage(this.canvas, 0, 0);
    this.pen.save();
    this.pen.globalCompositeOperation = "destination-out";
    for (let number = 0; number < DIRECTIONS; number++) {
      const angle = (2 * Math.PI * number) / DIRECTIONS;
      this.pen.drawImage(ground, radius * Math.cos(angle), radius * Math.sin(angle));
    }
    this.pen.restore();
  }

  /* The mask as a PNG: white where the lesion is, black elsewhere. */
  png() {
    const flat = document.createElement("canvas");
    [flat.width, flat.height] = [this.canvas.width, this.canvas.height];
    const pen = flat.getContext("2d");
    pen.fillRect(0, 0, flat.width, flat.height);
    pen.drawImage(this.canvas, 0, 0);
    return flat.toDataURL("image/png");
  }

  /* Show the mask over the picture, tinted; `view` is the part of the image that is seen. */
  show(sheet, view) {
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [sheet.clientWidth, sheet.clientHeight];
    sheet.width = width * ratio;
    sheet.height = height * ratio;
    const pen = sheet.getContext("2d");
    const unit = Math.min(sheet.width / view.width, sheet.height / view.height);
    const [left, top] = [(sheet.width - unit * view.width) / 2, (sheet.height - unit * view.height) / 2];
    pen.fillStyle = TINT;
    pen.fillRect(0, 0, sheet.width, sheet.height);
    pen.globalCompositeOperation = "destination-in";
    pen.setTransform(unit / this.scale, 0, 0, unit / this.scale, left - view.x * unit, top - view.y * unit);
    pen.drawImage(this.canvas, 0, 0);
  }

  hide(sheet) {
    sheet.width = sheet.width; // empties it
  }
}

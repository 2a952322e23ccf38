/* Two clicks on a ruler, and the millimetres between them, give the scale. */
class Ruler {
  constructor(find, use) {
    [this.form, this.advice, this.length, this.apply, this.measure] =
      [".ruler", ".ruler .advice", ".ruler .length", ".ruler .apply", ".measure"].map(find);
    this.form.onsubmit = (event) => {
      event.preventDefault();
      const millimetres = Number(this.length.querySelector("input").value);
      if (this.points.length === 2 && millimetres > 0) use({ pixels: this.distance(), millimetres });
    };
    this.begin();
  }

  begin() {
    this.points = [];
    this.draw();
  }

  click(point) {
    if (this.points.length === 2) this.points = [];
    this.points.push(point);
    this.draw();
  }

  distance() {
    const [from, to] = this.points;
    return Math.hypot(to.x - from.x, to.y - from.y);
  }

  draw() {
    const [from, to] = this.points;
    const done = Boolean(to) && this.distance() >= 2;
    this.advice.textContent = done ? `${Math.round(this.distance())} pixels.`
      : from ? "Now click the other end." : "Click one end of a known length on the ruler in the picture.";
    this.length.hidden = this.apply.hidden = !done;
    this.measure.toggleAttribute("hidden", !from);
    if (!from) return;
    const end = to ?? from;
    for (const line of this.measure.children) set(line, { x1: from.x, y1: from.y, x2: end.x, y2: end.y });
  }
}

const LARGEST_ZOOM = 12;
const ZOOM_STEP = 1.5;

/* Which part of the image the svg shows. */
class Zoom {
  constructor(svg, image, changed) {
    [this.svg, this.image, this.changed] = [svg, image, changed];
    this.view = this.whole();
  }

  whole() {
    return { x: 0, y: 0, width: this.image.width, height: this.image.height };
  }

  get factor() {
    return this.image.width / this.view.width;
  }

  fit() {
    this.view = this.whole();
    this.apply();
  }

  /* Zoom by a factor, keeping a point of the image where it is. */
  by(factor, point) {
    const { view, image } = this;
    const middle = point ?? { x: view.x + view.width / 2, y: view.y + view.height / 2 };
    const next = limit(this.factor * factor, 1, LARGEST_ZOOM);
    const shrink = image.width / next / view.width;
    this.view = {
      x: middle.x - (middle.x - view.x) * shrink,
      y: middle.y - (middle.y - view.y) * shrink,
      width: image.width / next,
      height: image.height / next,
    };
    this.apply();
  }

  move(right, down) {
    this.view.x += right;
    this.view.y += down;
    this.apply();
  }

  apply() {
    const { view, image, svg } = this;
    view.x = limit(view.x, 0, image.width - view.width);
    view.y = limit(view.y, 0, image.height - view.height);
    set(svg, { viewBox: `${view.x} ${view.y} ${view.width} ${view.height}` });
    svg.toggleAttribute("data-zoomed", this.factor > 1.001);
    this.changed();
  }
}

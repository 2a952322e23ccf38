const SMALLEST_BOX = 16;
const REPORT_DELAY = 400; // ms after the last key, so that a held key is one change

export default function ({ data, parentElement, setTriggerValue }) {
  const find = (selector) => parentElement.querySelector(selector);
  const svg = find("svg");
  const box = find(".box");
  let shown = data.box;

  const set = (element, attributes) => {
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  };
  const limit = (value, low, high) => Math.min(Math.max(value, low), high);

  function draw({ x0, y0, side }) {
    shown = { x0, y0, side };
    const radius = Math.max(data.width, data.height) / 90;
    for (const rectangle of parentElement.querySelectorAll("rect")) {
      set(rectangle, { x: x0, y: y0, width: side, height: side });
    }
    for (const corner of box.querySelectorAll("circle")) {
      const [right, down] = corner.dataset.corner.split(" ").map(Number);
      set(corner, { cx: x0 + right * side, cy: y0 + down * side, r: radius });
    }
  }

  function inside({ x0, y0, side }) {
    const length = Math.round(limit(side, SMALLEST_BOX, Math.min(data.width, data.height)));
    return {
      x0: Math.round(limit(x0, 0, data.width - length)),
      y0: Math.round(limit(y0, 0, data.height - length)),
      side: length,
    };
  }

  /* The square that spans from a fixed corner towards a point, as far as the image goes. */
  function spanned(fixed, point) {
    const [right, down] = [point.x >= fixed.x, point.y >= fixed.y];
    const room = Math.min(right ? data.width - fixed.x : fixed.x, down ? data.height - fixed.y : fixed.y);
    const side = Math.min(Math.max(Math.abs(point.x - fixed.x), Math.abs(point.y - fixed.y)), room);
    return inside({ x0: right ? fixed.x : fixed.x - side, y0: down ? fixed.y : fixed.y - side, side });
  }

  function pointIn(event) {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    return { x: limit(point.x, 0, data.width), y: limit(point.y, 0, data.height) };
  }

  function movement(target, start) {
    const from = shown;
    if (target.dataset.corner) {
      const [right, down] = target.dataset.corner.split(" ").map(Number);
      const fixed = { x: from.x0 + (1 - right) * from.side, y: from.y0 + (1 - down) * from.side };
      return (point) => spanned(fixed, point);
    }
    if (box.contains(target)) {
      return (point) => inside({ ...from, x0: from.x0 + point.x - start.x, y0: from.y0 + point.y - start.y });
    }
    return (point) => spanned(start, point);
  }

  const report = () => setTriggerValue("drawn", shown);

  svg.onpointerdown = (event) => {
    if (event.button !== 0 || (event.pointerType === "touch" && !box.contains(event.target))) return;
    const before = shown;
    const move = movement(event.target, pointIn(event));
    svg.setPointerCapture(event.pointerId);
    svg.onpointermove = (moved) => draw(move(pointIn(moved)));
    svg.onpointerup = svg.onpointercancel = () => {
      svg.onpointermove = svg.onpointerup = svg.onpointercancel = null;
      if (["x0", "y0", "side"].some((key) => shown[key] !== before[key])) report();
    };
  };

  box.onkeydown = (event) => {
    const step = Math.max(1, Math.round(Math.max(data.width, data.height) / 100));
    const [right, down, wider] = {
      ArrowLeft: [-1, 0, 0], ArrowRight: [1, 0, 0], ArrowUp: [0, -1, 0], ArrowDown: [0, 1, 0],
      "+": [-1, -1, 2], "=": [-1, -1, 2], "-": [1, 1, -2],
    }[event.key] ?? [];
    if (right === undefined) return;
    event.preventDefault();
    const { x0, y0, side } = shown;
    draw(inside({ x0: x0 + right * step, y0: y0 + down * step, side: side + wider * step }));
    clearTimeout(box.waiting);
    box.waiting = setTimeout(report, REPORT_DELAY);
  };

  const opacity = find(".opacity");
  opacity.oninput = () => set(find(".evidence"), { opacity: opacity.value / 100 });
  opacity.oninput();
  const lines = find(".lines");
  lines.onchange = () => {
    for (const line of [box, ...parentElement.querySelectorAll(".halo, .contour")]) {
      line.classList.toggle("hidden", !lines.checked);
    }
  };
  lines.onchange();

  set(svg, { viewBox: `0 0 ${data.width} ${data.height}`, role: "group" });
  find("title").textContent = data.description;
  set(find(".photo"), { href: data.photo, width: data.width, height: data.height });
  set(find(".evidence"), { href: data.evidence, ...data.seen });
  for (const path of parentElement.querySelectorAll("path")) set(path, { d: data.contour });
  set(box, { "aria-label": "Box of the crop. Arrow keys move it, plus and minus change its size." });
  box.classList.toggle("whole", data.whole);
  draw(data.box);
  return () => clearTimeout(box.waiting);
}

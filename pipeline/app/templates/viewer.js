const REPORT_DELAY = 400; // ms after the last key, so that a held key is one change
const STROKE_DELAY = 700; // ms after the last stroke of the brush
const GRIP_RADIUS = 16; // pixels of the screen
const DOT_RADIUS = 7;
const GROWTH = 4; // pixels of the mask that Grow and Shrink add and take

export default function ({ data: [data], parentElement, setTriggerValue }) {
  const find = (selector) => parentElement.querySelector(selector);
  const all = (selector) => parentElement.querySelectorAll(selector);
  const [svg, box, sheet] = ["svg", ".box", "canvas"].map(find);
  const kept = (svg.kept ??= { tool: matchMedia("(pointer: coarse)").matches ? "look" : "box", photo: null });
  const waiting = (kept.waiting ??= {});
  let shown = data.box;

  const later = (name, delay, act) => {
    clearTimeout(waiting[name]);
    waiting[name] = setTimeout(() => { waiting[name] = null; act(); }, delay);
  };
  const say = (text) => { find(".spoken").textContent = text; };
  const pointIn = (event) => {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    return { x: limit(point.x, 0, data.width), y: limit(point.y, 0, data.height) };
  };
  const unit = () => 1 / (svg.getScreenCTM()?.a || 1); // image pixels a pixel of the screen

  // ---- box
  function draw({ x0, y0, side }) {
    shown = { x0, y0, side };
    for (const rectangle of all("rect:not(.automatic)")) set(rectangle, { x: x0, y: y0, width: side, height: side });
    for (const corner of all("circle")) {
      const [right, down] = corner.dataset.corner.split(" ").map(Number);
      const radius = (corner.classList.contains("grip") ? GRIP_RADIUS : DOT_RADIUS) * unit();
      set(corner, { cx: x0 + right * side, cy: y0 + down * side, r: radius });
    }
  }
  const sayBox = () => say(`Box ${shown.x0} from the left, ${shown.y0} from the top, side ${shown.side} pixels.`);
  const reportBox = () => setTriggerValue("box", shown);

  function dragBox(event, target) {
    const before = shown;
    const move = boxMovement(target, box, shown, pointIn(event), data);
    follow(event, (moved) => draw(move(pointIn(moved))), () => {
      if (["x0", "y0", "side"].some((key) => shown[key] !== before[key])) { sayBox(); reportBox(); }
    });
  }
  box.onkeydown = (event) => {
    const moved = boxAfterKey(event.key, shown, data);
    if (!moved) return;
    event.preventDefault();
    draw(moved);
    sayBox();
    later("box", REPORT_DELAY, reportBox);
  };

  // ---- zoom
  if (kept.photo !== data.photo) Object.assign(kept, { photo: data.photo, view: null, brush: null });
  const zoom = new Zoom(svg, data, () => { draw(shown); showBrush(); });
  if (kept.view) zoom.view = kept.view;
  find(".in").onclick = () => zoom.by(ZOOM_STEP);
  find(".out").onclick = () => zoom.by(1 / ZOOM_STEP);
  find(".fit").onclick = () => zoom.fit();
  svg.onwheel = (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoom.by(Math.exp(-event.deltaY / 200), pointIn(event));
  };
  function pan(event) {
    let [x, y] = [event.clientX, event.clientY];
    follow(event, (moved) => {
      zoom.move((x - moved.clientX) * unit(), (y - moved.clientY) * unit());
      [x, y] = [moved.clientX, moved.clientY];
    });
  }

  // ---- contour
  const brush = (kept.brush ??= new Brush(data));
  if (brush.contour !== data.contour && !waiting.contour) brush.begin(data.contour); // strokes not yet sent stay
  function showBrush() {
    if (kept.tool === "contour") brush.show(sheet, zoom.view); else brush.hide(sheet);
    find(".undo").disabled = !brush.earlier.length;
  }
  const reportContour = () => later("contour", STROKE_DELAY, () => setTriggerValue("contour", { png: brush.png() }));
  const change = (act) => () => { brush.remember(); act(); showBrush(); reportContour(); };
  function paint(event) {
    let last = pointIn(event);
    const thickness = (find(".thickness").value / 100) * Math.max(data.width, data.height);
    const erases = find('[data-brush="erase"]').ariaPressed === "true";
    const stroke = (moved) => {
      const next = pointIn(moved);
      brush.stroke(last, next, thickness, erases);
      last = next;
      showBrush();
    };
    clearTimeout(waiting.contour);
    brush.remember();
    stroke(event);
    follow(event, stroke, reportContour);
  }
  find(".grow").onclick = change(() => brush.grow(GROWTH));
  find(".shrink").onclick = change(() => brush.shrink(GROWTH));
  find(".undo").onclick = () => { brush.undo(); showBrush(); reportContour(); };
  find(".reset").onclick = () => { brush.earlier.length = 0; setTriggerValue("contour", { png: null }); };
  find(".reset").disabled = !data.drawn;
  for (const button of all("[data-brush]")) {
    button.onclick = () => { for (const each of all("[data-brush]")) each.ariaPressed = String(each === button); };
  }

  // ---- scale, and which tool is in hand
  const ruler = new Ruler(find, (scale) => { setTriggerValue("scale", scale); say("The scale is noted."); });
  function take(tool) {
    kept.tool = tool;
    set(svg, { "data-tool": tool });
    for (const button of all("[data-tool]:not(svg)")) button.ariaPressed = String(button.dataset.tool === tool);
    find(".brushes").hidden = tool !== "contour";
    find(".ruler").hidden = tool !== "scale";
    if (tool !== "scale") ruler.begin();
    showBrush();
  }
  for (const button of all("button[data-tool]")) button.onclick = () => take(button.dataset.tool);

  function follow(event, moved, done = () => {}) {
    svg.setPointerCapture(event.pointerId);
    svg.onpointermove = moved;
    svg.onpointerup = svg.onpointercancel = () => {
      svg.onpointermove = svg.onpointerup = svg.onpointercancel = null;
      kept.view = zoom.view;
      done();
    };
  }
  svg.onpointerdown = (event) => {
    if (event.button !== 0) return;
    const { target } = event;
    if (target.classList.contains("grip") && ["look", "box"].includes(kept.tool)) dragBox(event, target);
    else if (kept.tool === "box") dragBox(event, target);
    else if (kept.tool === "contour") paint(event);
    else if (kept.tool === "scale") ruler.click(pointIn(event));
    else if (svg.hasAttribute("data-zoomed")) pan(event);
  };

  // ---- activation map and lines
  const opacity = find(".opacity");
  opacity.oninput = () => {
    set(find(".evidence"), { opacity: opacity.value / 100 });
    find(".legend").hidden = find(".explain").hidden = opacity.value === "0";
  };
  const lines = find(".lines");
  lines.onchange = () => {
    for (const line of [box, ...all(".halo, .contour, .automatic")]) line.classList.toggle("hidden", !lines.checked);
  };
  [find(".least").textContent, find(".most").textContent] = [`least ${data.range[0]}`, `most ${data.range[1]}`];
  find(".explain").textContent = `Evidence for ${data.explained}, on one scale for all classes of this image (before the softmax).`;

  // ---- what the page gave
  find("title").textContent = data.description;
  set(find(".photo"), { href: data.photo, width: data.width, height: data.height });
  set(find(".evidence"), { href: data.evidence, ...data.seen });
  for (const path of all("path")) set(path, { d: data.contour });
  const automatic = find(".automatic");
  automatic.toggleAttribute("hidden", !data.automatic);
  if (data.automatic) {
    const { x0, y0, side } = data.automatic;
    set(automatic, { x: x0, y: y0, width: side, height: side });
  }
  set(box, { "aria-label": "Box of the crop. Arrow keys move it, plus and minus change its size." });
  box.classList.toggle("whole", data.whole);
  opacity.oninput();
  lines.onchange();
  zoom.apply();
  take(kept.tool);
  const watch = new ResizeObserver(() => { draw(shown); showBrush(); });
  watch.observe(svg);
  return () => {
    watch.disconnect();
    kept.view = zoom.view;
  };
}

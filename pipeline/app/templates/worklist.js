const missingLast = (value) => (value === null || value === undefined ? -1 : value);

export default function ({ data: [data], parentElement, setTriggerValue }) {
  const find = (selector) => parentElement.querySelector(selector);
  const root = find(".list");
  root.order ??= { column: data.first, falling: true };

  const columns = [
    { name: "picture", title: "Picture", sorts: false },
    { name: "name", title: "Image" },
    { name: "diagnosis", title: "Diagnosis", hides: true },
    { name: "malignant", title: "Malignant", hides: true },
    { name: "confidence", title: "Confidence", hides: true, wide: true, number: true },
    { name: "own", title: "Your diagnosis", wide: true },
    { name: "notes", title: "Notes", hides: true, wide: true },
  ].filter((column) => !(data.hidden && column.hides));

  const sorted = () => {
    const { column, falling } = root.order;
    if (!column) return data.rows;
    const rank = (row) => (typeof row[column] === "string" ? row[column].toLowerCase() : missingLast(row[column]));
    return [...data.rows].sort((one, other) => {
      const [a, b] = falling ? [rank(other), rank(one)] : [rank(one), rank(other)];
      return a < b ? -1 : a > b ? 1 : 0;
    });
  };
  const pick = (key) => {
    if (key && key !== data.picked) setTriggerValue("picked", key);
  };
  const element = (name, attributes = {}, ...children) => {
    const made = Object.assign(document.createElement(name), attributes);
    made.append(...children);
    return made;
  };

  function heading(column) {
    const cell = element("th", { scope: "col", className: column.wide ? "wide" : "" });
    if (column.sorts === false) {
      cell.append(element("span", { className: "spoken", textContent: column.title }));
      return cell;
    }
    const { column: by, falling } = root.order;
    const here = by === column.name;
    cell.setAttribute("aria-sort", here ? (falling ? "descending" : "ascending") : "none");
    const text = `${column.title}${here ? (falling ? " ↓" : " ↑") : ""}`;
    const button = element("button", { type: "button", textContent: text });
    button.onclick = () => {
      root.order = { column: column.name, falling: here ? !falling : ["malignant", "confidence"].includes(column.name) };
      draw();
    };
    cell.append(button);
    return cell;
  }

  function risk(row) {
    if (row.malignant === null) return row.error ? "" : "–";
    const fill = element("span", { className: "fill" });
    fill.style.width = `${100 * row.malignant}%`;
    return element("div", { className: "risk" }, element("span", { textContent: row.risk }),
      element("span", { className: "track", ariaHidden: "true" }, fill));
  }

  function line(row) {
    const cells = columns.map(({ name, wide, number }) => {
      if (name === "name") {
        const button = element("button", { type: "button", textContent: row.name });
        button.onclick = (event) => { event.stopPropagation(); pick(row.key); };
        return element("th", { scope: "row" }, button);
      }
      const cell = element("td", { className: [wide && "wide", number && "number"].filter(Boolean).join(" ") });
      if (name === "picture") cell.append(row.picture ? element("img", { src: row.picture, alt: "", loading: "lazy" }) : "");
      else if (name === "malignant") cell.append(risk(row));
      else if (name === "diagnosis") {
        const text = element("span", { textContent: row.error || row.diagnosis, className: row.error ? "error" : "" });
        cell.append(text, row.overruled ? element("span", { className: "mark", textContent: " · overruled" }) : "");
      } else cell.textContent = name === "confidence" ? row.sure : row[name] ?? "";
      return cell;
    });
    const made = element("tr", {}, ...cells);
    if (row.key === data.picked) made.setAttribute("aria-current", "true");
    made.onclick = () => pick(row.key);
    return made;
  }

  function draw() {
    const rows = sorted();
    find("thead tr").replaceChildren(...columns.map(heading));
    find("tbody").replaceChildren(...rows.map(line));
    const place = rows.findIndex((row) => row.key === data.picked);
    find(".place").textContent = `Image ${place + 1} of ${rows.length}`;
    for (const [selector, step] of [[".back", -1], [".on", 1]]) {
      const button = find(selector);
      button.disabled = !rows[place + step];
      button.onclick = () => pick(rows[place + step]?.key);
    }
    const current = find('[aria-current="true"]');
    const frame = find(".scroll");
    const moved = root.picked !== undefined && root.picked !== data.picked; // at first the riskiest are shown
    root.picked = data.picked;
    if (current && moved) {
      const [top, bottom] = [current.offsetTop - 44, current.offsetTop + current.offsetHeight];
      if (top < frame.scrollTop) frame.scrollTop = top;
      if (bottom > frame.scrollTop + frame.clientHeight) frame.scrollTop = bottom - frame.clientHeight;
    }
  }
  draw();
}

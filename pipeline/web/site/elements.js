// @ts-check
/** Elements of the page, and numbers and names as they stand in it. */

/**
 * @param {string} tag
 * @param {Record<string, string | number | boolean | ((event: any) => void)>} [attributes] a function listens to the
 *   event of its name; `true` sets an attribute without a value, `false` none
 * @param {...(Node | string)} children
 */
export function element(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/**
 * @param {string} tag
 * @param {Record<string, string | number | boolean | ((event: any) => void)>} [attributes]
 * @param {...(Node | string)} children
 */
export function drawing(tag, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

/**
 * @template {Element} Made
 * @param {Made} made
 * @param {Record<string, string | number | boolean | ((event: any) => void)>} attributes
 * @param {(Node | string)[]} children
 * @returns {Made}
 */
function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value !== false) made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children);
  return made;
}

/** @param {string} id @returns {HTMLElement} */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element ${id}`);
  return found;
}

/** A share of 0..1; a dash where it is not known, and never 0 or 100% for what is not. @param {number | null} share */
export function percent(share) {
  if (share === null) return "–";
  if (share > 0 && share < 0.0005) return "<0.1%";
  if (share >= 0.9995 && share < 1) return ">99.9%";
  return `${(100 * share).toFixed(1)}%`;
}

/** A class as a reader knows it, and its code. @param {{code: string, name: string}} diagnosis */
export function fullName({ code, name }) {
  return code === name ? code : `${name} (${code})`;
}

/** @param {string} text */
export function sentence(text) {
  return text[0].toUpperCase() + text.slice(1);
}

/** A part of a whole as a bar. @param {number} share @param {string} group that gives the colour */
export function bar(share, group) {
  const part = element("span", { class: group });
  part.style.width = `${(100 * share).toFixed(1)}%`;
  return element("span", { class: "bar", "aria-hidden": "true" }, part);
}

// Elements of the page that several tabs use.
import { ApiError } from "./api.js";

export const byId = (id) => document.getElementById(id);

export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  Object.assign(element, properties);
  element.append(...children);
  return element;
}

/** Show an error in the element with this id; without an error, clear the element. */
export function showError(id, error) {
  byId(id).textContent = error instanceof ApiError ? error.message : error ? `An error in this page: ${error}` : "";
}

/** A probability as a percentage that never rounds to 0 % or 100 %. */
export function percent(probability) {
  if (probability > 0.999) return "> 99.9 %";
  return probability < 0.001 ? "< 0.1 %" : `${(probability * 100).toFixed(1)} %`;
}

/** Run one call at a time; of the calls made while one runs, only the last is run. */
export function latest(work) {
  let running = false, again = false;
  return async function call() {
    if (running) { again = true; return; }
    running = true;
    do { again = false; await work(); } while (again);
    running = false;
  };
}

/** Call use(files) with the files chosen in an input or dropped on its field. */
export function acceptFiles(field, input, use) {
  input.addEventListener("change", () => { use([...input.files]); input.value = ""; });
  for (const kind of ["dragover", "dragenter"]) field.addEventListener(kind, (event) => { event.preventDefault(); field.classList.add("over"); });
  for (const kind of ["dragleave", "drop"]) field.addEventListener(kind, () => field.classList.remove("over"));
  field.addEventListener("drop", (event) => { event.preventDefault(); use([...event.dataTransfer.files]); });
}

/** Free the picture that an image shows: its bytes stay in memory until its URL is revoked. */
export function revoke(image) { if (image?.src) URL.revokeObjectURL(image.src); }

/** Fill a select with the pages of a file; hidden if there is only one. */
export function listPages(label, select, pages) {
  label.hidden = pages < 2;
  select.replaceChildren(...Array.from({ length: pages }, (_, i) => make("option", { value: i + 1 }, `${i + 1} of ${pages}`)));
}

// What all tabs share: elements, requests, problems.
export const byId = (id) => document.getElementById(id);

export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  Object.assign(element, properties);
  element.append(...children);
  return element;
}

export class Problem extends Error {}
export const SILENT = "The server does not answer. Is it still running?";

/** Ask the API; throws a Problem with its sentence. */
export async function ask(path, { form, json } = {}) {
  const body = form ?? (json && JSON.stringify(json));
  const headers = json ? { "Content-Type": "application/json" } : {};
  let response;
  try {
    response = await fetch(path, { method: body ? "POST" : "GET", body, headers });
  } catch { throw new Problem(SILENT); }
  if (!response.ok) throw new Problem(await sentence(response));
  return response;
}

/** What an answer that is none says. */
export async function sentence(response) {
  try {
    const { error } = await response.json();
    return error.message[0].toUpperCase() + error.message.slice(1);
  } catch {
    return `The server answered ${response.status}.`;
  }
}

export function formOf(values) {
  const form = new FormData();
  for (const [name, value] of Object.entries(values)) form.append(name, value);
  return form;
}

/** Tell what went wrong where it was asked for; an empty sentence takes it away. */
export function tell(id, error) {
  byId(id).textContent = error instanceof Problem ? error.message : error ? `This page has a fault: ${error}` : "";
}

/** A share in words that claim neither all nor nothing. */
export function percent(share) {
  if (share > 0.999) return "> 99.9 %";
  return share < 0.001 ? "< 0.1 %" : `${(share * 100).toFixed(share < 0.0995 ? 1 : 0)} %`;
}

/** Run the newest of many calls, one at a time: what comes while one runs waits, and only the last. */
export function latest(work) {
  let running = false, again = false;
  return async function call() {
    if (running) { again = true; return; }
    running = true;
    do { again = false; await work(); } while (again);
    running = false;
  };
}

/** Files dropped on or chosen in a field. */
export function takeFiles(drop, input, use) {
  input.addEventListener("change", () => { use([...input.files]); input.value = ""; });
  for (const kind of ["dragover", "dragenter"]) drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("over"); });
  for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => { event.preventDefault(); use([...event.dataTransfer.files]); });
}

/** A page of a file as a picture's address, with its size and how many pages there are. */
export async function showPage(file, page) {
  const response = await ask("api/preview", { form: formOf({ file, page }) });
  const number = (name) => Number(response.headers.get(name));
  return {
    url: URL.createObjectURL(await response.blob()),
    pages: number("Legible-Pages"), width: number("Legible-Width"), height: number("Legible-Height"),
  };
}

/** Let go of the picture that an image shows: its bytes stay in memory as long as its address does. */
export function forget(image) { if (image?.src) URL.revokeObjectURL(image.src); }

/** Fill a choice of pages; hidden where there is one. */
export function offerPages(label, select, pages) {
  label.hidden = pages < 2;
  select.replaceChildren(...Array.from({ length: pages }, (_, i) => make("option", { value: i + 1 }, `${i + 1} of ${pages}`)));
}

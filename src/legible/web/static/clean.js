// Scans in, one after the other; each with its progress, its page before and after, and its download.
import { ask, byId, forget, formOf, make, offerPages, Problem, sentence, showPage, SILENT, takeFiles, tell } from "./kit.js";

const EVERY_MS = 400;
const waiting = [];
let busy = false, shown = null;

export function startClean() {
  takeFiles(byId("clean-drop"), byId("clean-file"), (files) => { files.forEach(add); next(); });
  byId("split").addEventListener("input", split);
  byId("zoom").addEventListener("input", () => { byId("stack").style.width = `${byId("zoom").value * 100}%`; });
  byId("compare-page").addEventListener("change", () => compare(shown, Number(byId("compare-page").value)));
  split();
}

function split() { byId("before").style.clipPath = `inset(0 ${100 - byId("split").value}% 0 0)`; }

function add(file) {
  const bar = make("progress", { max: 1, value: 0 }), state = make("span", { className: "state" }, "waits");
  bar.setAttribute("aria-label", `Progress of ${file.name}`);
  const name = make("button", { className: "name quiet", disabled: true, title: file.name }, file.name);
  const end = make("span"), item = { file, bar, state, name, end, mode: byId("clean-mode").value };
  name.addEventListener("click", () => compare(item, 1));
  byId("queue").append(make("li", {}, name, make("span", { className: "middle" }, bar, state), end));
  waiting.push(item);
}

async function next() {
  if (busy) return;
  busy = true;
  for (let item = waiting.shift(); item; item = waiting.shift()) {
    try { await clean(item); } catch (error) { fail(item, error); }
  }
  busy = false;
}

async function clean(item) {
  const name = crypto.randomUUID?.() ?? `page-${Date.now()}`, started = performance.now();
  const form = formOf({ file: item.file, mode: item.mode, progress: name });
  const watch = setInterval(() => follow(item, name), EVERY_MS);
  try {
    const { blob, headers } = await send(form, (share) => {
      item.bar.value = share * 0.2;
      item.state.textContent = share < 1 ? `sending, ${Math.round(share * 100)} %` : "cleaning";
    });
    item.result = new File([blob], `clean-${item.file.name.replace(/\.[^.]*$/, "")}.${ending(blob.type)}`, { type: blob.type });
    item.pages = Number(headers("Legible-Pages"));
    const gone = Number(headers("Legible-Vanished"));
    item.state.textContent = `${item.pages} page${item.pages > 1 ? "s" : ""} in ${((performance.now() - started) / 1000).toFixed(1)} s`
      + (gone ? `; text may be gone in ${gone} place${gone > 1 ? "s" : ""}: compare it` : "");
  } finally { clearInterval(watch); }
  item.bar.value = 1;
  item.name.disabled = false;
  item.end.replaceChildren(make("a", { className: "button", href: URL.createObjectURL(item.result), download: item.result.name }, "Download"));
  await compare(item, 1);
}

const ending = (type) => ({ "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/tiff": "tif", "application/pdf": "pdf" })[type];

async function follow(item, name) {
  try {
    const { done, pages } = await (await ask(`api/progress/${name}`)).json();
    if (!pages) return;
    item.bar.value = 0.2 + 0.8 * done / pages;
    item.state.textContent = `page ${Math.min(done + 1, pages)} of ${pages}`;
  } catch { /* not begun, or over */ }
}

/** Only XMLHttpRequest tells how much of an upload is sent. */
function send(form, onSent) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open("POST", "api/clean");
    request.responseType = "blob";
    request.upload.onprogress = (event) => onSent(event.loaded / event.total);
    request.onerror = () => failed(new Problem(SILENT));
    request.onload = async () => {
      if (request.status === 200) return done({ blob: request.response, headers: (name) => request.getResponseHeader(name) });
      failed(new Problem(await sentence(new Response(request.response, { status: request.status }))));
    };
    request.send(form);
  });
}

function fail(item, error) {
  item.bar.hidden = true;
  item.state.className = "state bad";
  item.state.textContent = error.message;
}

async function compare(item, page) {
  tell("clean-problem");
  try {
    const [before, after] = await Promise.all([showPage(item.file, page), showPage(item.result, page)]);
    if (shown !== item) offerPages(byId("compare-pages"), byId("compare-page"), item.pages);
    shown = item;
    for (const [id, { url, width, height }] of [["before", before], ["after", after]]) {
      forget(byId(id));
      Object.assign(byId(id), { src: url, width, height });
    }
    byId("compare").hidden = false;
  } catch (error) { tell("clean-problem", error); }
}

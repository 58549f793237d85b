// Clean scans one after the other; show each one's progress, its pages before and after, and a download.
import { ApiError, fetchPage, formOf, messageOf, NO_ANSWER, request } from "./api.js";
import { acceptFiles, byId, listPages, make, revoke, showError } from "./elements.js";

const POLL_MS = 400;
const UPLOAD_SHARE = 0.2; // of the progress bar
const waiting = [];
let busy = false, shown = null;

export function startClean() {
  acceptFiles(byId("clean-drop"), byId("clean-file"), (files) => { files.forEach(add); cleanAll(); });
  byId("split").addEventListener("input", split);
  byId("zoom").addEventListener("input", () => { byId("stack").style.width = `${byId("zoom").value * 100}%`; });
  byId("compare-page").addEventListener("change", () => compare(shown, Number(byId("compare-page").value)));
  split();
}

function split() { byId("before").style.clipPath = `inset(0 ${100 - byId("split").value}% 0 0)`; }

function add(file) {
  const bar = make("progress", { max: 1, value: 0 }), state = make("span", { className: "state" }, "waiting");
  bar.setAttribute("aria-label", `Progress of ${file.name}`);
  const name = make("button", { className: "name quiet", disabled: true, title: `Compare ${file.name} before and after` }, file.name);
  const end = make("span"), item = { file, bar, state, name, end, mode: byId("clean-mode").value };
  name.addEventListener("click", () => compare(item, 1));
  byId("queue").append(make("li", {}, name, make("span", { className: "middle" }, bar, state), end));
  waiting.push(item);
}

async function cleanAll() {
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
  const polling = setInterval(() => showProgress(item, name), POLL_MS);
  try {
    const { blob, header } = await send(form, (sent) => {
      item.bar.value = sent * UPLOAD_SHARE;
      item.state.textContent = sent < 1 ? `uploading, ${Math.round(sent * 100)} %` : "cleaning";
    });
    const [suffix] = /\.\w+(?="$)/.exec(header("Content-Disposition")) ?? [""];
    item.result = new File([blob], `clean-${item.file.name.replace(/\.[^.]*$/, "")}${suffix}`, { type: blob.type });
    item.pages = Number(header("Legible-Pages"));
    const vanished = Number(header("Legible-Vanished"));
    item.state.textContent = `${count(item.pages, "page")} in ${((performance.now() - started) / 1000).toFixed(1)} s`
      + (vanished ? `; text may have been lost in ${count(vanished, "place")}: compare before and after` : "");
  } finally { clearInterval(polling); }
  item.bar.value = 1;
  item.name.disabled = false;
  item.end.replaceChildren(make("a", { className: "button", href: URL.createObjectURL(item.result), download: item.result.name }, "Download"));
  await compare(item, 1);
}

const count = (n, noun) => `${n} ${noun}${n === 1 ? "" : "s"}`;

async function showProgress(item, name) {
  try {
    const { done, pages } = await (await request(`api/progress/${name}`)).json();
    if (!pages) return;
    item.bar.value = UPLOAD_SHARE + (1 - UPLOAD_SHARE) * done / pages;
    item.state.textContent = `page ${Math.min(done + 1, pages)} of ${pages}`;
  } catch { /* not begun, or finished */ }
}

/** Post to /api/clean; by XMLHttpRequest, as fetch does not report how much has been sent. */
function send(form, onSent) {
  return new Promise((resolve, reject) => {
    const posted = new XMLHttpRequest();
    posted.open("POST", "api/clean");
    posted.responseType = "blob";
    posted.upload.onprogress = (event) => onSent(event.loaded / event.total);
    posted.onerror = () => reject(new ApiError(NO_ANSWER));
    posted.onload = async () => {
      if (posted.status === 200) return resolve({ blob: posted.response, header: (name) => posted.getResponseHeader(name) });
      reject(new ApiError(await messageOf(new Response(posted.response, { status: posted.status }))));
    };
    posted.send(form);
  });
}

function fail(item, error) {
  item.bar.hidden = true;
  item.state.className = "state bad";
  item.state.textContent = error.message;
}

async function compare(item, page) {
  showError("clean-error");
  try {
    const [before, after] = await Promise.all([fetchPage(item.file, page), fetchPage(item.result, page)]);
    if (shown !== item) listPages(byId("compare-pages"), byId("compare-page"), item.pages);
    shown = item;
    for (const [id, { url, width, height }] of [["before", before], ["after", after]]) {
      revoke(byId(id));
      Object.assign(byId(id), { src: url, width, height });
    }
    byId("compare").hidden = false;
  } catch (error) { showError("clean-error", error); }
}

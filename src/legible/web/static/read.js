// Read the digits in a photo or scan: boxes and digits over the picture, and text to copy.
import { fetchPage, formOf, request } from "./api.js";
import { acceptFiles, byId, listPages, make, percent, revoke, showError } from "./elements.js";

const CONFIDENT = 0.9, SVG = "http://www.w3.org/2000/svg";
let file = null, readings = [], lastCall = 0;

export function startRead() {
  acceptFiles(byId("read-drop"), byId("read-file"), ([first]) => { if (first) { file = first; read(); } });
  document.addEventListener("paste", (event) => {
    const pasted = [...event.clipboardData.files][0];
    if (pasted && !byId("read").hidden) { file = pasted; read(); }
  });
  byId("read-mode").addEventListener("change", () => file && read());
  byId("read-page").addEventListener("change", () => show(Number(byId("read-page").value)));
  byId("read-copy").addEventListener("click", copy);
}

async function read() {
  const thisCall = ++lastCall;
  showError("read-error");
  byId("read-result").setAttribute("aria-busy", "true");
  try {
    const answer = await (await request("api/read", { form: formOf({ file, mode: byId("read-mode").value }) })).json();
    if (thisCall !== lastCall) return;
    readings = answer.pages;
    listPages(byId("read-pages"), byId("read-page"), readings.length);
    byId("read-result").hidden = false;
    await show(1);
  } catch (error) {
    if (thisCall !== lastCall) return;
    byId("read-result").hidden = true;
    showError("read-error", error);
  } finally { byId("read-result").removeAttribute("aria-busy"); }
}

async function show(page) {
  const reading = readings[page - 1], text = byId("read-text");
  text.className = reading.text ? "prediction" : "prediction rejected";
  text.value = reading.text || reading.reason;
  byId("read-copy").hidden = !reading.text;
  byId("read-confidence").textContent = reading.text ? `Confidence that every digit is right: ${percent(reading.confidence)}` : "";
  byId("read-lines").hidden = !reading.lines.length;
  byId("read-lines").tBodies[0].replaceChildren(...reading.lines.map((line) =>
    make("tr", {}, make("td", {}, line.text), make("td", {}, percent(line.confidence)))));
  try {
    const { url, width, height } = await fetchPage(file, page);
    const image = make("img", { src: url, alt: reading.text ? `The picture, read as ${reading.text}` : "The picture; no digits read", width, height });
    revoke(byId("read-picture").querySelector("img"));
    byId("read-picture").replaceChildren(image, boxes(reading, width, height));
  } catch (error) { showError("read-error", error); }
}

function boxes(reading, width, height) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("aria-hidden", "true");
  for (const digit of reading.lines.flatMap((line) => line.digits)) {
    const [left, top, right, bottom] = digit.box, boxHeight = bottom - top;
    const group = svg.appendChild(document.createElementNS(SVG, "g"));
    if (digit.confidence < CONFIDENT) group.setAttribute("class", "uncertain");
    const rect = group.appendChild(document.createElementNS(SVG, "rect"));
    const attributes = { x: left, y: top, width: right - left, height: boxHeight, "stroke-width": Math.max(1, Math.min(width, height) / 300) };
    for (const [name, value] of Object.entries(attributes)) rect.setAttribute(name, value);
    const label = group.appendChild(document.createElementNS(SVG, "text"));
    const size = Math.max(boxHeight * 0.5, height / 40);
    const baseline = top > size ? top - size * 0.15 : bottom + size;
    for (const [name, value] of Object.entries({ x: (left + right) / 2, y: baseline, "font-size": size, "stroke-width": size / 8 })) label.setAttribute(name, value);
    label.textContent = digit.digit;
  }
  return svg;
}

async function copy() {
  const button = byId("read-copy");
  try { await navigator.clipboard.writeText(byId("read-text").value); button.textContent = "Copied"; }
  catch { getSelection().selectAllChildren(byId("read-text")); button.textContent = "Selected"; }
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
}

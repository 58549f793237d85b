// A photo or scan in; boxes and digits drawn over it, and text to copy.
import { ask, byId, forget, formOf, make, offerPages, percent, showPage, takeFiles, tell } from "./kit.js";

const SURE = 0.9, SVG = "http://www.w3.org/2000/svg";
let file = null, readings = [], newest = 0;

export function startRead() {
  takeFiles(byId("read-drop"), byId("read-file"), ([first]) => { if (first) { file = first; read(); } });
  document.addEventListener("paste", (event) => {
    const pasted = [...event.clipboardData.files][0];
    if (pasted && !byId("read").hidden) { file = pasted; read(); }
  });
  byId("read-mode").addEventListener("change", () => file && read());
  byId("read-page").addEventListener("change", () => show(Number(byId("read-page").value)));
  byId("read-copy").addEventListener("click", copy);
}

async function read() {
  const mine = ++newest;
  tell("read-problem");
  byId("read-result").setAttribute("aria-busy", "true");
  try {
    const answer = await (await ask("api/read", { form: formOf({ file, mode: byId("read-mode").value }) })).json();
    if (mine !== newest) return;
    readings = answer.pages;
    offerPages(byId("read-pages"), byId("read-page"), readings.length);
    byId("read-result").hidden = false;
    await show(1);
  } catch (error) {
    if (mine !== newest) return;
    byId("read-result").hidden = true;
    tell("read-problem", error);
  } finally { byId("read-result").removeAttribute("aria-busy"); }
}

async function show(page) {
  const reading = readings[page - 1], text = byId("read-text");
  text.className = reading.text ? "verdict" : "verdict none";
  text.value = reading.text || reading.reason;
  byId("read-copy").hidden = !reading.text;
  byId("read-sure").textContent = reading.text ? `${percent(reading.confidence)} sure that all of it is right` : "";
  byId("read-lines").hidden = !reading.lines.length;
  byId("read-lines").tBodies[0].replaceChildren(...reading.lines.map((line) =>
    make("tr", {}, make("td", {}, line.text), make("td", {}, percent(line.confidence)))));
  try {
    const { url, width, height } = await showPage(file, page);
    const image = make("img", { src: url, alt: `The picture, read as ${reading.text || "no digit"}`, width, height });
    forget(byId("read-picture").querySelector("img"));
    byId("read-picture").replaceChildren(image, boxes(reading, width, height));
  } catch (error) { tell("read-problem", error); }
}

function boxes(reading, width, height) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("aria-hidden", "true");
  for (const digit of reading.lines.flatMap((line) => line.digits)) {
    const [left, top, right, bottom] = digit.box, tall = bottom - top;
    const group = svg.appendChild(document.createElementNS(SVG, "g"));
    if (digit.confidence < SURE) group.setAttribute("class", "unsure");
    const rect = group.appendChild(document.createElementNS(SVG, "rect"));
    const facts = { x: left, y: top, width: right - left, height: tall, "stroke-width": Math.max(1, Math.min(width, height) / 300) };
    for (const [name, value] of Object.entries(facts)) rect.setAttribute(name, value);
    const label = group.appendChild(document.createElementNS(SVG, "text"));
    const size = Math.max(tall * 0.5, height / 40);
    const above = top > size ? top - size * 0.15 : bottom + size;
    for (const [name, value] of Object.entries({ x: (left + right) / 2, y: above, "font-size": size, "stroke-width": size / 8 })) label.setAttribute(name, value);
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

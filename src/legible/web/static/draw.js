// Draw a digit; see what the net sees, all ten probabilities, and what noise does to it.
import { ask, byId, formOf, latest, make, percent, tell } from "./kit.js";

const PEN_PX = 20, STEP_PX = 10;
const strokes = [];
let pen = null; // of the keyboard: where it is, and the stroke it draws
const canvas = byId("pad"), context = canvas.getContext("2d", { willReadFrequently: true });

export function startDraw() {
  byId("bars").replaceChildren(...Array.from({ length: 10 }, (_, digit) => make("li", {},
    make("span", {}, String(digit)), make("span", { className: "bar" }, make("span")), make("span", { className: "share" }))));
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    strokes.push([place(event)]);
    changed();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!canvas.hasPointerCapture(event.pointerId)) return;
    for (const part of event.getCoalescedEvents?.() ?? [event]) strokes.at(-1).push(place(part));
    changed();
  });
  canvas.addEventListener("keydown", drawByKey);
  canvas.addEventListener("blur", () => { pen = null; paint(); });
  byId("undo").addEventListener("click", () => { strokes.pop(); changed(); });
  byId("clear").addEventListener("click", () => { strokes.length = 0; pen = null; changed(); });
  byId("noise").addEventListener("change", look);
  byId("amount").addEventListener("input", () => { byId("amount-said").value = Number(byId("amount").value).toFixed(2); look(); });
  changed();
}

function place(event) {
  const box = canvas.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width * canvas.width, (event.clientY - box.top) / box.height * canvas.height];
}

function drawByKey(event) {
  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  if (event.key === "z" && (event.ctrlKey || event.metaKey)) { strokes.pop(); pen = null; }
  else if (event.key === "Escape") { strokes.length = 0; pen = null; }
  else if (event.key === " ") {
    pen ??= { at: [canvas.width / 2, canvas.height / 4], stroke: null };
    pen.stroke = pen.stroke ? null : [pen.at];
    if (pen.stroke) strokes.push(pen.stroke);
  } else if (moves[event.key]) {
    pen ??= { at: [canvas.width / 2, canvas.height / 4], stroke: null };
    pen.at = pen.at.map((value, i) => Math.min(canvas.width, Math.max(0, value + moves[event.key][i] * STEP_PX)));
    pen.stroke?.push(pen.at);
  } else return;
  event.preventDefault();
  changed();
}

function changed() { paint(); look(); }

function paint({ withPen = true } = {}) {
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  Object.assign(context, { lineWidth: PEN_PX, lineCap: "round", lineJoin: "round", strokeStyle: "#111" });
  for (const stroke of strokes) {
    context.beginPath();
    context.moveTo(...stroke[0]);
    for (const point of stroke.length > 1 ? stroke : [stroke[0], stroke[0]]) context.lineTo(...point);
    context.stroke();
  }
  if (!pen || !withPen) return;
  Object.assign(context, { lineWidth: 2, strokeStyle: pen.stroke ? "#0072b2" : "#d55e00" });
  context.beginPath();
  context.arc(...pen.at, PEN_PX / 2, 0, 2 * Math.PI);
  context.stroke();
}

function picture() {
  paint({ withPen: false });
  const blob = new Promise((done) => canvas.toBlob(done, "image/png"));
  paint();
  return blob;
}

const look = latest(async () => {
  const started = performance.now();
  try {
    const amount = byId("amount").value;
    const noise = Number(amount) ? `${byId("noise").value}:${amount}` : "clean";
    const file = new File([await picture()], "drawing.png");
    const answer = await (await ask("api/denoise", { form: formOf({ file, noise }) })).json();
    for (const name of ["seen", "noisy", "denoised"]) show(name, answer[name]);
    showBars(answer.seen);
    canvas.dataset.milliseconds = performance.now() - started; // for whoever measures
    tell("draw-problem");
  } catch (error) { tell("draw-problem", error); }
});

function show(name, seen) {
  const target = byId(name).getContext("2d"), image = target.createImageData(28, 28);
  seen.pixels.flat().forEach((ink, i) => image.data.set([255 - ink, 255 - ink, 255 - ink, 255], 4 * i));
  target.putImageData(image, 0, 0);
  byId(`${name}-said`).textContent = strokes.length ? seen.digit ?? "no digit" : "\u00a0";
}

function showBars(seen) {
  const verdict = byId("verdict"), blank = !strokes.length;
  verdict.className = seen.digit ? "verdict" : "verdict none";
  verdict.textContent = blank ? "\u00a0" : seen.digit ?? seen.reason;
  [...byId("bars").children].forEach((row, i) => {
    const share = blank ? 0 : seen.probabilities[i];
    row.className = !blank && String(i) === seen.digit ? "best" : "";
    row.querySelector(".bar span").style.width = `${share * 100}%`;
    row.lastChild.textContent = blank ? "" : percent(share);
  });
}

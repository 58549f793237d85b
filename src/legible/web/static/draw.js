// Draw a digit; see the classifier's input, all ten probabilities, and the digit noisy and denoised.
import { formOf, request } from "./api.js";
import { byId, latest, make, percent, showError } from "./elements.js";

const PEN_PX = 20, STEP_PX = 10;
const strokes = [];
let pen = null; // moved by the keyboard: its position, and its stroke if it is down
const canvas = byId("pad"), context = canvas.getContext("2d", { willReadFrequently: true });

export function startDraw() {
  byId("bars").replaceChildren(...Array.from({ length: 10 }, (_, digit) => make("li", {},
    make("span", {}, String(digit)), make("span", { className: "bar" }, make("span")), make("span", { className: "probability" }))));
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    strokes.push([position(event)]);
    changed();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!canvas.hasPointerCapture(event.pointerId)) return;
    for (const part of event.getCoalescedEvents?.() ?? [event]) strokes.at(-1).push(position(part));
    changed();
  });
  canvas.addEventListener("keydown", drawByKey);
  canvas.addEventListener("blur", () => { pen = null; paint(); });
  byId("undo").addEventListener("click", () => { strokes.pop(); changed(); });
  byId("clear").addEventListener("click", () => { strokes.length = 0; pen = null; changed(); });
  byId("noise").addEventListener("change", classify);
  byId("amount").addEventListener("input", () => { byId("amount-value").value = Number(byId("amount").value).toFixed(2); classify(); });
  changed();
}

function position(event) {
  const box = canvas.getBoundingClientRect();
  return [(event.clientX - box.left) / box.width * canvas.width, (event.clientY - box.top) / box.height * canvas.height];
}

function drawByKey(event) {
  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  if (event.key === "z" && (event.ctrlKey || event.metaKey)) { strokes.pop(); pen = null; }
  else if (event.key === "Escape") { strokes.length = 0; pen = null; }
  else if (event.key === " ") {
    pen ??= { position: [canvas.width / 2, canvas.height / 4], stroke: null };
    pen.stroke = pen.stroke ? null : [pen.position];
    if (pen.stroke) strokes.push(pen.stroke);
  } else if (moves[event.key]) {
    pen ??= { position: [canvas.width / 2, canvas.height / 4], stroke: null };
    pen.position = pen.position.map((value, i) => Math.min(canvas.width, Math.max(0, value + moves[event.key][i] * STEP_PX)));
    pen.stroke?.push(pen.position);
  } else return;
  event.preventDefault();
  changed();
}

function changed() { paint(); classify(); }

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
  context.arc(...pen.position, PEN_PX / 2, 0, 2 * Math.PI);
  context.stroke();
}

function toPng() {
  paint({ withPen: false });
  const blob = new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  paint();
  return blob;
}

const classify = latest(async () => {
  const started = performance.now();
  try {
    const amount = byId("amount").value;
    const noise = Number(amount) ? `${byId("noise").value}:${amount}` : "clean";
    const file = new File([await toPng()], "drawing.png");
    const views = await (await request("api/denoise", { form: formOf({ file, noise }) })).json();
    for (const name of ["input", "noisy", "denoised"]) show(name, views[name]);
    showProbabilities(views.input);
    canvas.dataset.milliseconds = performance.now() - started; // read by benchmarks/serve_under_load.py
    showError("draw-error");
  } catch (error) { showError("draw-error", error); }
});

function show(name, view) {
  const target = byId(name).getContext("2d"), image = target.createImageData(28, 28);
  view.pixels.flat().forEach((ink, i) => image.data.set([255 - ink, 255 - ink, 255 - ink, 255], 4 * i));
  target.putImageData(image, 0, 0);
  byId(`${name}-digit`).textContent = strokes.length ? view.digit ?? "rejected" : "\u00a0";
}

function showProbabilities({ digit, reason, probabilities }) {
  const prediction = byId("prediction"), isBlank = !strokes.length;
  prediction.className = digit ? "prediction" : "prediction rejected";
  prediction.textContent = isBlank ? "\u00a0" : digit ?? reason;
  [...byId("bars").children].forEach((row, i) => {
    const probability = isBlank ? 0 : probabilities[i];
    row.className = !isBlank && String(i) === digit ? "best" : "";
    row.querySelector(".bar span").style.width = `${probability * 100}%`;
    row.lastChild.textContent = isBlank ? "" : percent(probability);
  });
}

// The results of the studies, and the cards of the shipped models.
import { request } from "./api.js";
import { byId, make, showError } from "./elements.js";

const MODELS = "models";

export async function startWorkbench() {
  byId("study").addEventListener("change", show);
  try {
    const pages = await (await request("api/results")).json();
    byId("study").append(make("option", { value: MODELS }, "Shipped models"),
      ...pages.map(({ name, title }) => make("option", { value: name }, title)));
    await show();
  } catch (error) { showError("workbench-error", error); }
}

async function show() {
  const name = byId("study").value;
  showError("workbench-error");
  try {
    const shown = name === MODELS ? await models() : (await (await request(`api/results/${name}`)).json()).blocks.map(showBlock);
    byId("workbench-content").replaceChildren(...shown);
  } catch (error) { showError("workbench-error", error); }
}

function showBlock({ header, rows, figure, heading, text }) {
  if (heading) return make("h3", {}, heading);
  if (figure) return make("p", {}, make("img", { src: `results/${figure}`, alt: text, loading: "lazy" }));
  return header.length ? table(header, rows) : make("p", {}, text.replaceAll(/[`*]/g, ""));
}

function table(header, rows) {
  const head = make("thead", {}, make("tr", {}, ...header.map((cell) => make("th", { scope: "col" }, cell))));
  const body = make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map((cell) => make("td", {}, cell)))));
  return make("div", { className: "wide", tabIndex: 0 }, make("table", {}, head, body));
}

async function models() {
  const cards = await (await request("api/models")).json();
  const rows = cards.map(({ name, kind, n_parameters, score }) => [name, kind, n_parameters.toLocaleString("en"), score]);
  const details = cards.map(({ name }) => {
    const fold = make("details", {}, make("summary", {}, `Model card of ${name}`));
    fold.addEventListener("toggle", async () => {
      if (!fold.open || fold.children.length > 1) return;
      try { fold.append(...card(await (await request(`api/models/${name}`)).json())); }
      catch (error) { showError("workbench-error", error); }
    });
    return fold;
  });
  return [table(["model", "kind", "parameters", "score"], rows), ...details];
}

/** A card in tables: the model, its scores and the calibration of its confidence; then the whole card as JSON. */
function card(facts) {
  const { trained, confidence = {} } = facts, [channels, height, width] = facts.input.shape;
  const overview = [
    ["model", `${facts.model}, ${facts.n_parameters.toLocaleString("en")} parameters`],
    ["input", `images of ${channels} x ${height} x ${width}${facts.input.multiple ? ", or other sizes" : ""}`],
    ["trained with", trained.command], ["training data", trained.n_images && `${trained.n_images.toLocaleString("en")} images`],
    ["training time", `${Math.round(trained.seconds).toLocaleString("en")} s, ${trained.machine}`],
    ["trained on", `${trained.date}, commit ${trained.commit || "not recorded"}`],
  ].filter(([, text]) => text);
  const parts = [table(["", ""], overview)];
  const measures = Object.keys(facts.scores[0] ?? {}).filter((name) => typeof facts.scores[0][name] === "number");
  parts.push(table(["dataset", "noise", ...measures.map(words)],
    facts.scores.map((score) => [score.dataset, score.noise, ...measures.map((name) => number(score[name]))])));
  const limits = Object.entries(confidence).filter(([, value]) => typeof value === "number");
  if (limits.length) parts.push(table(["calibration of the confidence", ""], limits.map(([name, value]) => [words(name), number(value)])));
  if (confidence.sets) parts.push(table(["error rate of the prediction sets", "probability threshold"], confidence.sets.map(([rate, threshold]) => [number(rate), number(threshold)])));
  const whole = make("details", {}, make("summary", {}, "The whole card"), make("pre", {}, JSON.stringify(facts, null, 2)));
  return [...parts, whole];
}

const LABELS = { n: "calibration images", n_images: "images", refuse_below: "rejection threshold" };
const words = (name) => LABELS[name] ?? name.replaceAll("_", " ").replace(/ nats$/, " (nats)").replace(/ db$/, " (dB)")
  .replace(/\b(mse|rmse|psnr|ssim|bce|elbo)\b/, (metric) => metric.toUpperCase());
const number = (value) => value == null ? "" : Number.isInteger(value) ? value.toLocaleString("en") : String(Number(value.toPrecision(4)));

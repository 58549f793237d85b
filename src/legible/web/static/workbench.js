// What the studies found, table by table, and the cards of the models that ship.
import { ask, byId, make, tell } from "./kit.js";

const MODELS = "models";

export async function startWorkbench() {
  byId("study").addEventListener("change", show);
  try {
    const pages = await (await ask("api/results")).json();
    byId("study").append(make("option", { value: MODELS }, "The models that ship"),
      ...pages.map(({ name, title }) => make("option", { value: name }, title)));
    await show();
  } catch (error) { tell("workbench-problem", error); }
}

async function show() {
  const name = byId("study").value;
  tell("workbench-problem");
  try {
    const parts = name === MODELS ? await models() : (await (await ask(`api/results/${name}`)).json()).blocks.map(part);
    byId("findings").replaceChildren(...parts);
  } catch (error) { tell("workbench-problem", error); }
}

function part({ header, rows, figure, heading, text }) {
  if (heading) return make("h3", {}, heading);
  if (figure) return make("p", {}, make("img", { src: `results/${figure}`, alt: text, loading: "lazy" }));
  return header.length ? table(header, rows) : make("p", {}, text.replaceAll("`", ""));
}

function table(header, rows) {
  const head = make("thead", {}, make("tr", {}, ...header.map((cell) => make("th", { scope: "col" }, cell))));
  const body = make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map((cell) => make("td", {}, cell)))));
  return make("div", { className: "wide", tabIndex: 0 }, make("table", {}, head, body));
}

async function models() {
  const cards = await (await ask("api/models")).json();
  const rows = cards.map(({ name, task, n_parameters, score }) => [name, task, n_parameters.toLocaleString("en"), score]);
  const details = cards.map(({ name }) => {
    const fold = make("details", {}, make("summary", {}, `The card of ${name}`));
    fold.addEventListener("toggle", async () => {
      if (!fold.open || fold.children.length > 1) return;
      try { fold.append(...card(await (await ask(`api/models/${name}`)).json())); }
      catch (error) { tell("workbench-problem", error); }
    });
    return fold;
  });
  return [table(["model", "does", "parameters", "score"], rows), ...details];
}

/** A card as people read it: what it is, what it scored, where its confidence ends; then all of it. */
function card(facts) {
  const { trained, confidence = {} } = facts, [channels, height, width] = facts.input.shape;
  const told = [
    ["model", `${facts.model}, ${facts.n_parameters.toLocaleString("en")} parameters`],
    ["takes", `images of ${channels} x ${height} x ${width}${facts.input.multiple ? ", or of other sizes" : ""}`],
    ["trained by", trained.command], ["on", `${trained.n_images?.toLocaleString("en")} images, ${Math.round(trained.seconds)} s, ${trained.machine}`],
    ["made", `${trained.date}, commit ${trained.commit}`],
  ].filter(([, text]) => text);
  const parts = [table(["", ""], told)];
  const measures = Object.keys(facts.scores[0] ?? {}).filter((name) => typeof facts.scores[0][name] === "number");
  parts.push(table(["dataset", "noise", ...measures.map(words)],
    facts.scores.map((score) => [score.dataset, score.noise, ...measures.map((name) => number(score[name]))])));
  const limits = Object.entries(confidence).filter(([, value]) => typeof value === "number");
  if (limits.length) parts.push(table(["of its confidence", ""], limits.map(([name, value]) => [words(name), number(value)])));
  if (confidence.sets) parts.push(table(["at an error rate of", "what may be it has at least"], confidence.sets.map(([rate, least]) => [number(rate), number(least)])));
  const whole = make("details", {}, make("summary", {}, "All of it"), make("pre", {}, JSON.stringify(facts, null, 2)));
  return [...parts, whole];
}

const words = (name) => name.replaceAll("_", " ");
const number = (value) => value == null ? "" : Number.isInteger(value) ? value.toLocaleString("en") : String(Number(value.toPrecision(4)));

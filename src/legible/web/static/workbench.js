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

function part({ header, rows, figure, text }) {
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
    const whole = make("pre"), fold = make("details", {}, make("summary", {}, `The card of ${name}`), whole);
    fold.addEventListener("toggle", async () => {
      if (!fold.open || whole.textContent) return;
      try { whole.textContent = JSON.stringify(await (await ask(`api/models/${name}`)).json(), null, 2); }
      catch (error) { tell("workbench-problem", error); }
    });
    return fold;
  });
  return [table(["model", "does", "parameters", "score"], rows), ...details];
}

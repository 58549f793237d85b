// New digits: which, how many, how wild, and moved by the numbers that change them the most.
import { ask, byId, forget, latest, make, tell } from "./kit.js";

let seed = 1;

export async function startGenerate() {
  byId("digits").append(...Array.from({ length: 10 }, (_, digit) =>
    make("label", {}, make("input", { type: "checkbox", value: digit, checked: digit === 3 || digit === 7 }), String(digit))));
  try {
    const { number, furthest } = await (await ask("api/sliders")).json();
    byId("sliders").append(...Array.from({ length: number }, (_, i) =>
      make("label", {}, String(i + 1), make("input", { type: "range", min: -furthest, max: furthest, step: 0.25, value: 0 }))));
  } catch (error) { tell("generate-problem", error); }
  for (const kind of ["input", "change"]) byId("generate").addEventListener(kind, draw);
  byId("again").addEventListener("click", () => { seed += 1; draw(); });
  byId("level").addEventListener("click", () => { for (const slider of sliders()) slider.value = 0; draw(); });
  draw();
}

const sliders = () => [...byId("sliders").querySelectorAll("input")];

const draw = latest(async () => {
  byId("variety-said").value = Number(byId("variety").value).toFixed(1);
  const json = {
    digits: [...byId("digits").querySelectorAll(":checked")].map((box) => box.value),
    number: Number(byId("number").value), seed,
    temperature: Number(byId("variety").value),
    sliders: sliders().map((slider) => Number(slider.value)),
  };
  try {
    const url = URL.createObjectURL(await (await ask("api/generate", { json })).blob());
    forget(byId("sheet"));
    byId("sheet").src = byId("sheet-save").href = url;
    byId("sheet-save").hidden = false;
    tell("generate-problem");
  } catch (error) { tell("generate-problem", error); }
});

// Generate digits: which, how many, at what temperature, and with some latents moved.
import { request } from "./api.js";
import { byId, latest, make, revoke, showError } from "./elements.js";

let seed = 1;

export async function startGenerate() {
  byId("digits").append(...Array.from({ length: 10 }, (_, digit) =>
    make("label", {}, make("input", { type: "checkbox", value: digit, checked: digit === 3 || digit === 7 }), String(digit))));
  try {
    const { number, limit } = await (await request("api/sliders")).json();
    byId("sliders").append(...Array.from({ length: number }, (_, i) =>
      make("label", {}, String(i + 1), make("input", { type: "range", min: -limit, max: limit, step: 0.25, value: 0 }))));
  } catch (error) { showError("generate-error", error); }
  for (const kind of ["input", "change"]) byId("generate").addEventListener(kind, generate);
  byId("resample").addEventListener("click", () => { seed += 1; generate(); });
  byId("reset-sliders").addEventListener("click", () => { for (const slider of sliders()) slider.value = 0; generate(); });
  generate();
}

const sliders = () => [...byId("sliders").querySelectorAll("input")];

const generate = latest(async () => {
  byId("temperature-value").value = Number(byId("temperature").value).toFixed(1);
  const json = {
    digits: [...byId("digits").querySelectorAll(":checked")].map((box) => box.value),
    number: Number(byId("number").value), seed,
    temperature: Number(byId("temperature").value),
    sliders: sliders().map((slider) => Number(slider.value)),
  };
  try {
    const url = URL.createObjectURL(await (await request("api/generate", { json })).blob());
    revoke(byId("sheet"));
    byId("sheet").src = byId("sheet-save").href = url;
    byId("sheet-save").hidden = false;
    showError("generate-error");
  } catch (error) { showError("generate-error", error); }
});

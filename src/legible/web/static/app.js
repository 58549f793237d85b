// Tabs, theme, and each tab's own module.
import { byId } from "./kit.js";
import { startDraw } from "./draw.js";
import { startRead } from "./read.js";
import { startClean } from "./clean.js";
import { startGenerate } from "./generate.js";
import { startWorkbench } from "./workbench.js";

const starts = { draw: startDraw, read: startRead, clean: startClean, generate: startGenerate, workbench: startWorkbench };
const started = new Set();
const tabs = [...document.querySelectorAll('[role="tab"]')];

function choose(name, { focus = false } = {}) {
  for (const tab of tabs) {
    const chosen = tab.getAttribute("aria-controls") === name;
    tab.setAttribute("aria-selected", chosen);
    tab.tabIndex = chosen ? 0 : -1;
    byId(tab.getAttribute("aria-controls")).hidden = !chosen;
    if (chosen && focus) tab.focus();
  }
  if (!started.has(name)) { started.add(name); starts[name](); }
  history.replaceState(null, "", `#${name}`);
}

tabs.forEach((tab, i) => {
  tab.addEventListener("click", () => choose(tab.getAttribute("aria-controls")));
  tab.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) choose(tabs[(i + step + tabs.length) % tabs.length].getAttribute("aria-controls"), { focus: true });
  });
});

const fromAddress = () => { const name = location.hash.slice(1); return name in starts ? name : "draw"; };
window.addEventListener("hashchange", () => choose(fromAddress()));

const root = document.documentElement;
const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
try { const kept = localStorage.getItem("theme"); if (kept) root.dataset.theme = kept; } catch { /* private window */ }
byId("theme").addEventListener("click", () => {
  root.dataset.theme = dark() ? "light" : "dark";
  try { localStorage.setItem("theme", root.dataset.theme); } catch { /* private window */ }
});

choose(fromAddress());

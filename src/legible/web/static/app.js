// The tabs and the theme. Each tab's own module is started when the tab is first shown.
import { byId } from "./elements.js";
import { startDraw } from "./draw.js";
import { startRead } from "./read.js";
import { startClean } from "./clean.js";
import { startGenerate } from "./generate.js";
import { startWorkbench } from "./workbench.js";

const starters = { draw: startDraw, read: startRead, clean: startClean, generate: startGenerate, workbench: startWorkbench };
const started = new Set();
const tabs = [...document.querySelectorAll('[role="tab"]')];

function select(name, { focus = false } = {}) {
  for (const tab of tabs) {
    const selected = tab.getAttribute("aria-controls") === name;
    tab.setAttribute("aria-selected", selected);
    tab.tabIndex = selected ? 0 : -1;
    byId(tab.getAttribute("aria-controls")).hidden = !selected;
    if (selected && focus) tab.focus();
  }
  if (!started.has(name)) { started.add(name); starters[name](); }
  history.replaceState(null, "", `#${name}`);
}

tabs.forEach((tab, i) => {
  tab.addEventListener("click", () => select(tab.getAttribute("aria-controls")));
  tab.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) select(tabs[(i + step + tabs.length) % tabs.length].getAttribute("aria-controls"), { focus: true });
  });
});

const tabInAddress = () => { const name = location.hash.slice(1); return name in starters ? name : "draw"; };
window.addEventListener("hashchange", () => select(tabInAddress()));

const root = document.documentElement;
const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
try { const saved = localStorage.getItem("theme"); if (saved) root.dataset.theme = saved; } catch { /* private window */ }
byId("theme").addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  try { localStorage.setItem("theme", root.dataset.theme); } catch { /* private window */ }
});

select(tabInAddress());

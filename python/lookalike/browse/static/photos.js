// All photos: what is chosen and in which order is in the address.

import { ask } from "./api.js";
import { Grid } from "./grid.js";
import { keys } from "./keys.js";
import { say } from "./notices.js";

const element = document.getElementById("grid");
const tools = document.getElementById("tools");
const NAMES = ["sort", "folder", "label", "from", "to"];
const POLL = 400;
const MOST = 20;

function start() {
  const count = document.getElementById("count");
  const none = document.getElementById("none");
  const section = document.getElementById("section");
  const working = document.getElementById("working");
  const bar = document.getElementById("chosen");
  const together = document.getElementById("together");
  const all = document.getElementById("all");
  let sections = [];
  let asked = null;

  const grid = new Grid(element, {
    onMove(index) {
      const found = sections.findLast(([, first]) => first <= index);
      section.hidden = !found || scrollY < 40;
      if (found) section.textContent = shownSection(found[0]);
    },
    onChoose(rows) {
      if (rows.length > MOST) {
        say(`at most ${MOST} photos together`);
        grid.choose(rows.slice(0, MOST));
        return;
      }
      bar.hidden = rows.length === 0;
      document.getElementById("chosen-count").textContent = `${rows.length} chosen`;
      together.href = `/together?rows=${rows.join()}`;
    },
    onStale: load,
  });

  function question() {
    const address = new URLSearchParams(location.search);
    return Object.fromEntries(NAMES.map((name) => [name, address.get(name) ?? ""])
      .filter(([, value]) => value));
  }

  function shownSection(name) {
    if (!/^\d{4}-\d\d$/.test(name)) return name || "no folder";
    const [year, month] = name.split("-").map(Number);
    return new Date(year, month - 1).toLocaleDateString(undefined, { year: "numeric", month: "long" });
  }

  async function load() {
    asked?.abort();
    const own = (asked = new AbortController());
    const wanted = question();
    for (const name of NAMES) {
      const field = tools.elements[name];
      const value = wanted[name] ?? (name === "sort" ? "date" : "");
      if (field.tagName === "SELECT" && ![...field.options].some((each) => each.value === value)) {
        field.add(new Option(value, value));
      }
      field.value = value;
    }
    all.hidden = !NAMES.slice(1).some((name) => wanted[name]);
    try {
      let found = await ask("/api/order", wanted, own.signal);
      while (!found.rows) {
        showWork(found);
        await new Promise((resolve) => setTimeout(resolve, POLL));
        if (own.signal.aborted) return;
        found = await ask("/api/order", wanted, own.signal);
      }
      working.hidden = true;
      sections = found.sections;
      count.textContent = `${found.rows.length.toLocaleString()} ${found.rows.length === 1 ? "photo" : "photos"}`;
      none.hidden = found.rows.length > 0;
      grid.show(found.rows, found.state);
      element.setAttribute("aria-busy", "false");
      restore();
    } catch (error) {
      if (error.name !== "AbortError") say(error.message, { bad: true });
    }
  }

  function showWork({ done, total }) {
    working.hidden = false;
    element.setAttribute("aria-busy", "true");
    document.getElementById("working-text").textContent =
      "Finding what is nearest to each photo; this is done once.";
    const progress = document.getElementById("working-bar");
    if (total) Object.assign(progress, { max: total, value: done });
  }

  async function loadChoices() {
    try {
      const found = await ask("/api/choices");
      fill(tools.elements.label, found.labels);
      fill(tools.elements.folder, withParents(found.folders));
      for (const name of ["from", "to"]) {
        tools.elements[name].min = found.from;
        tools.elements[name].max = found.to;
      }
    } catch (error) {
      say(error.message, { bad: true });
    }
  }

  function withParents(folders) {
    const counts = new Map();
    for (const [folder, n] of folders) {
      for (let path = folder; path; path = path.slice(0, path.lastIndexOf("/"))) {
        counts.set(path, (counts.get(path) ?? 0) + n);
      }
    }
    const total = Math.max(0, ...counts.values());
    const shared = [...counts].filter(([, n]) => n === total).map(([path]) => path);
    const root = shared.reduce((a, b) => (a.length > b.length ? a : b), "");
    return [...counts].filter(([path]) => path.length >= root.length).sort((a, b) => (a[0] < b[0] ? -1 : 1))
      .map(([path, n]) => [path, n, path === root ? path.split("/").at(-1) : path.slice(root.length + 1)]);
  }

  function fill(select, list) {
    const value = select.value;
    select.length = 1;
    for (const [name, n, shown] of list) {
      select.add(new Option(`${shown ?? name} (${n.toLocaleString()})`, name));
    }
    select.closest("label").hidden = list.length === 0;
    if (value && ![...select.options].some((each) => each.value === value)) {
      select.add(new Option(value, value));
    }
    select.value = value;
  }

  function go(address) {
    history.pushState(null, "", address);
    scrollTo(0, 0);
    grid.active = 0;
    load();
  }

  tools.addEventListener("change", () => {
    const address = new URLSearchParams();
    for (const name of NAMES) {
      const value = tools.elements[name].value;
      if (value && !(name === "sort" && value === "date")) address.set(name, value);
    }
    go(`/${address.size ? `?${address}` : ""}`);
  });
  tools.addEventListener("submit", (event) => event.preventDefault());
  const showAll = () => {
    const sort = new URLSearchParams(location.search).get("sort");
    go(sort ? `/?sort=${sort}` : "/");
  };
  all.addEventListener("click", showAll);
  document.getElementById("none-all").addEventListener("click", showAll);
  document.getElementById("unchoose").addEventListener("click", () => grid.choose([]));
  addEventListener("popstate", load);

  // Back leads to where one was: the grid is as high as before only once it is filled again.
  history.scrollRestoration = "manual";
  let restored = false;
  function restore() {
    if (restored) return;
    restored = true;
    const kept = JSON.parse(sessionStorage.getItem(`at ${location.search}`) ?? "null");
    const back = performance.getEntriesByType("navigation")[0]?.type !== "navigate";
    if (kept && back) {
      scrollTo(0, kept.scroll);
      grid.active = kept.active;
    }
  }
  addEventListener("pagehide", () => {
    const at = { scroll: scrollY, active: grid.active };
    sessionStorage.setItem(`at ${location.search}`, JSON.stringify(at));
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) grid.check();
  });

  const into = (event) => {
    if (element.contains(document.activeElement)) return false;
    grid.go(grid.active);
    return undefined;
  };
  keys([
    ["ArrowDown ArrowRight", "into the photos, and through them", into],
    ["x", "choose a photo, or leave it out", () => false],
    ["t", "more like the chosen ones", () => grid.chosen.size > 0 && location.assign(together.href)],
    ["Escape", "choose none", () => grid.choose([])],
  ]);
  load();
  loadChoices();
}

if (element) start();

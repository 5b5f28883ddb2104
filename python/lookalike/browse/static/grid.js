// A grid of thumbnails of any number of rows: only those near the screen are in the page.

import { ask } from "./api.js";

const MOST_ASKED = 300;

/** The address of a thumbnail in a state of the gallery. */
export const thumb = (row, state) => `/thumb/${row}?s=${state}`;

/** The address of a picture's page. */
export const photo = (row, mark) => `/photo/${row}${mark ? `?is=${mark}` : ""}`;

/** An image of a row; where there is none its name is shown instead. */
export function picture(row, state, name = "") {
  const image = new Image();
  image.alt = name;
  image.decoding = "async";
  image.draggable = false;
  image.addEventListener("error", () => image.parentElement?.classList.add("no-picture"));
  image.src = thumb(row, state);
  return image;
}

/** A few words on a cell. */
export function badge(kind, text) {
  const made = document.createElement("span");
  made.className = `badge ${kind}`;
  made.textContent = text;
  return made;
}

/**
 * The grid in an element. `onMove(index)` is told the first index on the screen, `onChoose(rows)`
 * which rows are chosen, `onStale()` that the gallery has changed.
 */
export class Grid {
  constructor(element, { onMove = () => {}, onChoose = () => {}, onStale = () => {} } = {}) {
    Object.assign(this, { element, onMove, onChoose, onStale });
    this.rows = [];
    this.notes = new Map();
    this.state = "";
    this.cells = new Map(); // index → element
    this.facts = new Map(); // row → facts
    this.chosen = new Set();
    this.active = 0;
    this.asking = false;
    const update = () => this.queue();
    addEventListener("scroll", update, { passive: true });
    new ResizeObserver(() => this.measure()).observe(element);
    element.addEventListener("keydown", (event) => this.key(event));
    element.addEventListener("click", (event) => this.click(event));
    element.addEventListener("focusin", (event) => {
      const cell = event.target.closest(".cell");
      if (cell) this.active = Number(cell.dataset.index);
    });
  }

  /** Show rows; each is one cell. `notes` has a few words about some of them. */
  show(rows, state, notes = new Map()) {
    this.notes = notes;
    if (state !== this.state) {
      this.facts.clear();
      this.choose([]);
    }
    this.rows = rows;
    this.state = state;
    this.active = Math.min(this.active, Math.max(0, rows.length - 1));
    for (const cell of this.cells.values()) cell.remove();
    this.cells.clear();
    this.measure();
  }

  measure() {
    const style = getComputedStyle(this.element);
    const least = parseFloat(style.getPropertyValue("--least")) || 160;
    this.gap = parseFloat(style.getPropertyValue("--gap")) || 6;
    const width = this.element.clientWidth;
    if (!width) return;
    this.columns = Math.max(3, Math.floor((width + this.gap) / (least + this.gap)));
    this.side = (width - this.gap * (this.columns - 1)) / this.columns;
    this.pitch = this.side + this.gap;
    const lines = Math.ceil(this.rows.length / this.columns);
    this.element.style.height = `${Math.max(0, lines * this.pitch - this.gap)}px`;
    for (const [index, cell] of this.cells) this.place(cell, index);
    this.update();
  }

  queue() {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      this.update();
    });
  }

  /** Put in what is near the screen and take out what is not. */
  update() {
    if (!this.pitch) return;
    const top = -this.element.getBoundingClientRect().top;
    const spare = innerHeight;
    const first = Math.max(0, Math.floor((top - spare) / this.pitch)) * this.columns;
    const last = Math.min(
      this.rows.length,
      (Math.floor((top + innerHeight + spare) / this.pitch) + 1) * this.columns,
    );
    for (const [index, cell] of this.cells) {
      if ((index < first || index >= last) && cell !== document.activeElement) {
        cell.firstChild.removeAttribute("src"); // what is on its way is not needed
        cell.remove();
        this.cells.delete(index);
      }
    }
    const fresh = document.createDocumentFragment();
    const seen = Math.max(0, Math.floor(top / this.pitch)) * this.columns;
    const wanted = [];
    for (let index = first; index < last; index += 1) wanted.push(index);
    wanted.sort((a, b) => (a < seen) - (b < seen) || a - b); // what is seen comes first
    for (const index of wanted) {
      if (!this.cells.has(index)) fresh.append(this.make(index));
    }
    this.element.append(fresh);
    this.onMove(Math.min(seen, Math.max(0, this.rows.length - 1)));
    clearTimeout(this.later);
    this.later = setTimeout(() => this.learn(first, last), 60);
  }

  make(index) {
    const row = this.rows[index];
    const cell = document.createElement("a");
    cell.className = "cell";
    cell.dataset.index = index;
    cell.append(picture(row, this.state, `Photo ${index + 1}`));
    cell.tabIndex = index === this.active ? 0 : -1;
    if (this.notes.has(row)) cell.append(badge("note", this.notes.get(row)));
    this.cells.set(index, cell);
    this.place(cell, index);
    this.dress(cell, row);
    return cell;
  }

  place(cell, index) {
    const x = (index % this.columns) * this.pitch;
    const y = Math.floor(index / this.columns) * this.pitch;
    cell.style.width = cell.style.height = `${this.side}px`;
    cell.style.transform = `translate(${x}px, ${y}px)`;
  }

  dress(cell, row) {
    const facts = this.facts.get(row);
    cell.href = photo(row, facts?.mark);
    cell.classList.toggle("is-chosen", this.chosen.has(row));
    if (!facts) return;
    const said = [facts.name, this.notes.get(row), facts.label].filter(Boolean).join(", ");
    cell.firstChild.alt = this.chosen.has(row) ? `${said}, chosen` : said;
    cell.title = said;
    cell.dataset.name = facts.name;
    if (facts.copies && !cell.querySelector(".copies")) {
      cell.append(badge("copies", `+${facts.copies}`));
    }
  }

  async learn(first, last) {
    if (this.asking) return;
    const missing = this.rows.slice(first, last).filter((row) => !this.facts.has(row));
    if (!missing.length) return;
    this.asking = true;
    try {
      const found = await ask("/api/facts", { rows: missing.slice(0, MOST_ASKED).join() });
      if (found.state !== this.state) {
        this.onStale();
        return;
      }
      for (const [row, facts] of Object.entries(found.pictures)) {
        this.facts.set(Number(row), facts);
      }
      for (const [index, cell] of this.cells) this.dress(cell, this.rows[index]);
    } catch {
      return; // names are missing until the next move
    } finally {
      this.asking = false;
    }
    if (missing.length > MOST_ASKED) this.queue();
  }

  /** Has another process changed the gallery? */
  async check() {
    if (!this.rows.length) return;
    const found = await ask("/api/facts", { rows: this.rows[0] }).catch(() => null);
    if (found && found.state !== this.state) this.onStale();
  }

  choose(rows) {
    this.chosen = new Set(rows);
    for (const [index, cell] of this.cells) this.dress(cell, this.rows[index]);
    this.onChoose([...this.chosen]);
  }

  toggle(index) {
    const row = this.rows[index];
    const chosen = new Set(this.chosen);
    if (!chosen.delete(row)) chosen.add(row);
    this.choose(chosen);
  }

  click(event) {
    const cell = event.target.closest(".cell");
    if (!cell || !(event.ctrlKey || event.metaKey || event.shiftKey || this.chosen.size)) return;
    event.preventDefault(); // while some are chosen, a click chooses
    this.toggle(Number(cell.dataset.index));
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(innerHeight / this.pitch) - 1) * this.columns;
    const step = {
      ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns,
      PageUp: -page, PageDown: page, Home: -this.rows.length, End: this.rows.length,
    }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      this.go(this.active + step);
    } else if (event.key === "x" || event.key === " ") {
      event.preventDefault();
      this.toggle(this.active);
    }
  }

  /** Move the keyboard to an index, and the page so that it is seen. */
  go(index) {
    if (!this.rows.length) return;
    const old = this.cells.get(this.active);
    if (old) old.tabIndex = -1;
    this.active = Math.min(this.rows.length - 1, Math.max(0, index));
    const top = this.element.getBoundingClientRect().top;
    const y = top + Math.floor(this.active / this.columns) * this.pitch;
    const above = 130;
    if (y < above) scrollBy(0, y - above);
    else if (y + this.pitch > innerHeight - 70) scrollBy(0, y + this.pitch - innerHeight + 70);
    this.update();
    const cell = this.cells.get(this.active);
    cell.tabIndex = 0;
    cell.focus({ preventScroll: true });
  }
}

// Two pictures side by side: zoomed in step, swapped in place, and what differs between them.

const MOST = 32;
const SIDE = 1400; // pixels at which two pictures are compared
const SHOWN = 6; // how many times a difference is amplified
const SEEN = 12; // grey levels from which a place counts as different

export const fileOf = ({ row, mark }) => `/file/${row}?is=${mark}`;
export const thumbOf = ({ row, mark }, state) => `/thumb/${row}?s=${state}&is=${mark}`;

function pictured(member, state) {
  const image = new Image();
  image.alt = member.name;
  image.draggable = false;
  image.decoding = "async";
  image.style.backgroundImage = `url("${thumbOf(member, state)}")`; // until the file is here
  image.addEventListener("load", () => { image.style.backgroundImage = ""; });
  image.addEventListener("error", () => image.parentElement?.classList.add("cannot"));
  image.src = fileOf(member);
  return image;
}

/** The two panes in an element. `onMeasured(text)` is told what their difference is. */
export class Pair {
  constructor(panes, onMeasured) {
    this.panes = panes;
    this.onMeasured = onMeasured;
    this.views = [...panes.querySelectorAll(".view")];
    this.scale = 1;
    this.x = this.y = 0;
    this.fingers = new Map();
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", "What differs between the two");
    for (const view of this.views) this.listen(view);
    new ResizeObserver(() => this.move()).observe(this.views[0]);
  }

  /** Show two files. */
  show(left, right, state) {
    const said = `${left.file} ${right.file} ${state}`;
    if (said === this.said) return;
    this.said = said;
    this.pictures = [pictured(left, state), pictured(right, state)];
    const other = [pictured(right, state), pictured(left, state)];
    for (const [place, view] of this.views.entries()) {
      view.classList.remove("cannot");
      other[place].className = "other";
      other[place].setAttribute("aria-hidden", "true");
      view.replaceChildren(this.pictures[place], other[place]);
    }
    this.fit();
    if (this.differing) this.measure();
    else this.onMeasured("");
  }

  fit() {
    this.scale = 1;
    this.x = this.y = 0;
    this.move();
  }

  /** Zoom by a factor around a place of the pane, in shares of it. */
  zoom(factor, x = 0.5, y = 0.5) {
    const scale = Math.min(MOST, Math.max(1, this.scale * factor));
    this.x = x - ((x - this.x) * scale) / this.scale;
    this.y = y - ((y - this.y) * scale) / this.scale;
    this.scale = scale;
    this.move();
  }

  move() {
    const least = 1 - this.scale;
    this.x = Math.min(0, Math.max(least, this.x));
    this.y = Math.min(0, Math.max(least, this.y));
    const { clientWidth: width, clientHeight: height } = this.views[0];
    const where = `translate(${this.x * width}px, ${this.y * height}px) scale(${this.scale})`;
    for (const each of this.panes.querySelectorAll(".view > *")) each.style.transform = where;
    this.panes.classList.toggle("is-zoomed", this.scale > 1);
  }

  swap(on) {
    this.panes.classList.toggle("is-swapped", on);
  }

  difference(on) {
    this.differing = on;
    if (on) this.measure();
    else {
      this.canvas.remove();
      this.onMeasured("");
    }
  }

  async measure() {
    const said = this.said;
    const [one, other] = this.pictures;
    this.onMeasured("comparing …");
    try {
      await Promise.all([one.decode(), other.decode()]);
    } catch {
      this.onMeasured("one of the two cannot be shown");
      return;
    }
    if (said !== this.said || !this.differing) return;
    const least = [one, other].sort((a, b) => a.naturalWidth - b.naturalWidth)[0];
    const by = Math.min(1, SIDE / Math.max(least.naturalWidth, least.naturalHeight));
    const width = Math.max(1, Math.round(least.naturalWidth * by));
    const height = Math.max(1, Math.round(least.naturalHeight * by));
    const [first, second] = [one, other].map((image) => {
      const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
      context.imageSmoothingQuality = "high";
      context.drawImage(image, 0, 0, width, height);
      return context.getImageData(0, 0, width, height).data;
    });
    this.canvas.width = width;
    this.canvas.height = height;
    const context = this.canvas.getContext("2d");
    const drawn = context.createImageData(width, height);
    let most = 0;
    let seen = 0;
    for (let at = 0; at < first.length; at += 4) {
      let here = 0;
      for (let band = 0; band < 3; band += 1) {
        const apart = Math.abs(first[at + band] - second[at + band]);
        drawn.data[at + band] = Math.min(255, SHOWN * apart);
        if (apart > here) here = apart;
      }
      drawn.data[at + 3] = 255;
      if (here > most) most = here;
      if (here > SEEN) seen += 1;
    }
    context.putImageData(drawn, 0, 0);
    this.views[1].append(this.canvas);
    this.move();
    const share = (100 * seen) / (width * height);
    this.onMeasured(most === 0 ? "no pixel differs"
      : `${share < 0.1 && seen ? "under 0.1" : share.toFixed(1)} % differs to the eye, at most ${most} of 255`);
  }

  listen(view) {
    const place = (event) => {
      const box = view.getBoundingClientRect();
      return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    };
    view.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY / (event.deltaMode ? 12 : 350)), ...place(event));
    }, { passive: false });
    view.addEventListener("dblclick", (event) => {
      if (this.scale > 1) this.fit();
      else this.zoom(4, ...place(event));
    });
    view.addEventListener("pointerdown", (event) => {
      view.setPointerCapture(event.pointerId);
      this.fingers.set(event.pointerId, place(event));
    });
    view.addEventListener("pointermove", (event) => {
      const before = this.fingers.get(event.pointerId);
      if (!before) return;
      const now = place(event);
      const other = [...this.fingers].find(([id]) => id !== event.pointerId)?.[1];
      this.fingers.set(event.pointerId, now);
      if (other) {
        const apart = (one) => Math.hypot(one[0] - other[0], one[1] - other[1]) || 0.01;
        this.zoom(apart(now) / apart(before), ...other);
      } else {
        this.x += now[0] - before[0];
        this.y += now[1] - before[1];
        this.move();
      }
    });
    for (const end of ["pointerup", "pointercancel"]) {
      view.addEventListener(end, (event) => this.fingers.delete(event.pointerId));
    }
  }
}

// Draws what scene.js says. Shapes say what colours say: circle first try, diamond retry, cross refused, hollow nobody waits.

const TEXT_Y = [18, 42, 60], FOOT_Y = 226, LINE_PX = 18;  // as in still.py

class Painter {
  constructor(context, plan) { this.context = context; this.replan(plan); }

  replan(plan) {
    this.plan = plan;
    this.colours = plan.colours;
    this.fonts = plan.sizes.map((px, n) => `${n < 2 ? "600 " : ""}${px}px system-ui, "DejaVu Sans", sans-serif`);
  }

  paint(scene, now, dots) {
    const { context: c, plan, colours } = this, [width, height] = plan.size;
    c.fillStyle = colours.paper;
    c.fillRect(0, 0, width, height);
    this.stations(scene, now);
    this.numbers(scene);
    if (dots) {
      for (const ring of scene.rings.values()) this.ring(ring, now);
      for (const dot of scene.dots.values()) this.dot(dot);
    }
    this.legend(scene, dots);
  }

  stations(scene, now) {
    const { plan, colours } = this, [waiting, working] = scene.inside, full = plan.wall && waiting + working >= plan.limit;
    for (const [x, y] of plan.seats) this.circle(x, y, 6.5, colours.paper, "#B6BCC6");
    const hot = clamp(1 - (now - scene.flash.door) / 0.3);
    this.box(plan.door, hot > 0 ? colours.vermillion : "#9CA3AF", undefined, 4);
    const side = plan.slot_px - 2;
    plan.slots.forEach(([x, y], n) => {
      const taken = n * plan.per_slot < waiting, kept = plan.wall && n >= plan.slots.length - working / plan.per_slot;
      this.box({ x: x - side / 2, y: y - side / 2, w: side, h: side }, taken ? "#D7ECF8" : colours.paper, "#B6BCC6", 2);
      if (kept && !taken) this.line(x - side / 2 + 3, y + side / 2 - 3, x + side / 2 - 3, y - side / 2 + 3, "#9CA3AF");
    });
    if (plan.wall) this.box(plan.wall, full ? colours.vermillion : colours.ink, undefined, 1);
    plan.boxes.forEach((box, lane) => this.worker(box, scene.jobs.get(lane), scene.dead.has(lane)));
    const glow = clamp(1 - (now - scene.flash.out) / 0.4);
    this.box(plan.out, glow > 0 ? `rgba(0,158,115,${0.18 * glow})` : colours.paper, colours.green, 6);
  }

  worker(box, job, dead) {
    const { colours } = this;
    this.box(box, colours.paper, dead ? colours.vermillion : colours.ink, 4);
    if (dead) this.cross(box.x + box.w / 2, box.y + box.h / 2, Math.min(box.h, 18) / 2 - 2, colours.vermillion);
    else if (job) {
      const inner = { x: box.x + 1.5, y: box.y + 1.5, w: (box.w - 3) * job.share, h: box.h - 3 };
      this.box(inner, job.ghost ? "#E3E5E9" : "#BFE0F4", undefined, 3);
    }
  }

  numbers({ labels }) {
    const { context: c, plan, colours } = this;
    c.textAlign = "center";
    c.textBaseline = "middle";
    const inks = [colours.ink, colours.vermillion, colours.ink, colours.ink, colours.green];
    plan.heads.forEach(([x, head], n) => {
      this.text(head, x, TEXT_Y[0], 0, colours.ink);
      if (!labels) return;
      const [number, note] = labels[0][n];
      this.text(number, x, TEXT_Y[1], 1, number === "0" ? colours.grey : inks[n]);
      this.text(note, x, TEXT_Y[2], 2, colours.grey);
    });
    const ends = labels?.[1] ?? [], { x, y, w, h } = plan.out;
    ends.forEach((line, n) => this.text(line, x + w / 2, y + h / 2 + LINE_PX * (n - (ends.length - 1) / 2), 2, colours.ink));
  }

  legend(scene, dots) {
    const { context: c, plan, colours } = this, { tries, again, refused, noun } = plan.words;
    let x = 24;
    c.textAlign = "left";
    const say = (draw, words) => { draw(x); this.text(words, x + 10, FOOT_Y, 2, colours.grey); x += 24 + c.measureText(words).width; };
    if (dots) {
      say(at => this.mark(at, FOOT_Y, 4.5, 1, colours.blue), tries);
      say(at => this.mark(at, FOOT_Y, 4.5, 2, colours.orange), again);
      say(at => this.cross(at, FOOT_Y, 4, colours.vermillion), refused);
      say(at => this.mark(at, FOOT_Y, 4.5, 1, colours.grey, true), "nobody waits for it");
    }
    c.textAlign = "right";
    const [last] = plan.slots;
    if (plan.wall) this.text(plan.limit_words, last ? last[0] + plan.slot_px / 2 : plan.wall.x, FOOT_Y, 2, colours.ink);
    if (scene.per > 1) this.text(`1 dot = ${scene.per} ${noun}`, plan.size[0] - 24, FOOT_Y, 0, colours.ink);
  }

  ring({ seat, began, until }, now) {
    const { context: c, plan, colours } = this, [x, y] = plan.seats[seat];
    const left = clamp((until - now) / Math.max(until - began, 0.001));
    c.beginPath();
    c.arc(x, y, 8.5, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * left);
    c.lineWidth = 3;
    c.strokeStyle = colours.orange;
    c.stroke();
    this.mark(x, y, 4, 2, colours.orange);
  }

  dot({ x, y, nth, ghost, cross, lost, fade = 1 }) {
    const { context: c, plan, colours } = this, r = Math.min(5.5, plan.slot_px / 2 - 1.5);
    c.globalAlpha = fade;
    if (cross) this.cross(x, y, r, colours.vermillion);
    else this.mark(x, y, r, nth, lost ? colours.vermillion : ghost ? colours.grey : nth > 1 ? colours.orange : colours.blue, ghost || lost);
    c.globalAlpha = 1;
  }

  mark(x, y, r, nth, colour, hollow = false) {
    const c = this.context;
    c.beginPath();
    if (nth > 1) {
      c.moveTo(x, y - r * 1.25); c.lineTo(x + r * 1.25, y); c.lineTo(x, y + r * 1.25); c.lineTo(x - r * 1.25, y); c.closePath();
    } else c.arc(x, y, r, 0, 2 * Math.PI);
    c.fillStyle = hollow ? this.colours.paper : colour;
    c.fill();
    c.lineWidth = hollow ? 1.6 : 1;
    c.strokeStyle = hollow ? colour : this.colours.paper;
    c.stroke();
  }

  cross(x, y, r, colour) {
    const c = this.context;
    c.beginPath();
    c.moveTo(x - r, y - r); c.lineTo(x + r, y + r); c.moveTo(x - r, y + r); c.lineTo(x + r, y - r);
    c.lineWidth = 2.6;
    c.lineCap = "round";
    c.strokeStyle = colour;
    c.stroke();
    c.lineCap = "butt";
  }

  line(x0, y0, x1, y1, colour) {
    const c = this.context;
    c.beginPath();
    c.moveTo(x0, y0);
    c.lineTo(x1, y1);
    c.lineWidth = 1.6;
    c.strokeStyle = colour;
    c.stroke();
  }

  circle(x, y, r, fill, edge) {
    const c = this.context;
    c.beginPath();
    c.arc(x, y, r, 0, 2 * Math.PI);
    c.fillStyle = fill;
    c.fill();
    c.lineWidth = 1.2;
    c.strokeStyle = edge;
    c.stroke();
  }

  box({ x, y, w, h }, fill, edge, radius) {
    const c = this.context;
    c.beginPath();
    c.roundRect(x, y, Math.max(w, 0), h, Math.min(radius, Math.max(w, 0) / 2));
    if (fill) { c.fillStyle = fill; c.fill(); }
    if (edge) { c.lineWidth = 1.2; c.strokeStyle = edge; c.stroke(); }
  }

  text(words, x, y, size, colour) {
    this.context.font = this.fonts[size];
    this.context.fillStyle = colour;
    this.context.fillText(words, x, y);
  }
}


// What is where on the flow view, and where it is going. Knows nothing of canvases.

const [SENT, HELD, REFUSED, KNOWN, ANSWERED, WAITING, ABANDONED, GAVE_UP, DELIVERED, DONE, RETURNED, FAILED, REMOVED,
  LOST, DIED, CAME] = Array.from({ length: 16 }, (_, n) => n + 1);
const LATE_S = 0.2;
// A dot takes time from station to station, which the job itself does not. So each station shows what happens there
// by so much later; all of it, and so nothing overtakes anything.
const HOP = { door: 0.24, queue: 0.16, worker: 0.14, out: 0.24, back: 0.34, fall: 0.7 };
const AT_DOOR = HOP.door, AT_QUEUE = AT_DOOR + HOP.queue, AT_WORKER = AT_QUEUE + HOP.worker;
const SHIFT = { [SENT]: 0, [HELD]: AT_DOOR, [REFUSED]: AT_DOOR, [KNOWN]: AT_DOOR, [WAITING]: 0, [ABANDONED]: AT_DOOR,
  [GAVE_UP]: AT_DOOR, [DELIVERED]: AT_QUEUE, [DONE]: AT_WORKER, [RETURNED]: AT_WORKER, [FAILED]: AT_WORKER,
  [REMOVED]: AT_QUEUE, [LOST]: AT_WORKER, [DIED]: AT_WORKER, [CAME]: AT_WORKER };
const AT_WORKERS = new Set([ABANDONED, DELIVERED, DONE, FAILED, LOST, DIED, CAME]);  // shown of all requests
const MOST_DOTS = 300, MOST_KNOWN = 5000;
const UNHEARD_S = 10;
const HEAP_PX = 7;
const key = (id, nth) => `${id}.${nth}`;
const smooth = s => s * s * (3 - 2 * s);
const clamp = s => Math.min(Math.max(s, 0), 1);

class Scene {
  constructor(plan) {
    this.dots = new Map();
    this.rings = new Map();
    this.jobs = new Map();  // lane -> {key, began, share}
    this.queue = [];
    this.coming = [];
    this.dead = new Set();
    this.ends = new Map();  // of jobs, as far as they are known: a fifth of a second ahead
    this.ghosts = new Set();  // what nobody waits for any more, also of requests that are not drawn
    this.inside = [0, 0];
    this.share = this.per = 1;
    this.flash = { door: -9, out: -9 };
    this.mean = plan.service_s;
    this.replan(plan);
  }

  replan(plan) { this.plan = plan; }

  take(batch, now) {
    if (batch.fresh) this.forget(batch.steps);
    for (const step of batch.steps) this.coming.push({ due: step[0] + (SHIFT[step[1]] ?? 0), step });
    this.await(batch.now + AT_DOOR, { batch });
    for (const [t, kind, id, nth] of batch.steps) if (kind === DONE || kind === FAILED) this.ends.set(key(id, nth), t + AT_WORKER);
    if (this.share !== batch.per) this.thin(batch.per);
    for (const known of [this.ends, this.ghosts]) if (known.size > MOST_KNOWN) known.clear();
    if (batch.fresh) {
      this.count(batch);
      this.play(now);
    }
  }

  // From now on a dot stands for another number of requests; those that come in so doing appear at their next step.
  thin(share) {
    this.share = share;
    for (const [name, dot] of this.dots) if (dot.id % share) this.dots.delete(name);
    for (const id of this.rings.keys()) if (id % share) this.rings.delete(id);
    this.queue = this.queue.filter(name => this.dots.has(name));
    this.coming = this.coming.filter(({ step }) => !step || step[2] % share === 0 || AT_WORKERS.has(step[1]));
  }

  count({ inside, labels, per, over }) {
    Object.assign(this, { inside, labels, per });
    if (over) this.rings.clear();
  }

  await(due, what) {
    this.coming.push({ due, ...what });
    this.coming.sort((a, b) => a.due - b.due);
  }

  forget(steps) {
    const known = new Set(steps.map(([, , id, nth]) => key(id, nth)));
    const waiting = new Set(steps.filter(step => step[1] === WAITING).map(step => step[2]));
    for (const [name, dot] of this.dots) if (!known.has(name) && !dot.leaves) this.dots.delete(name);
    for (const id of this.rings.keys()) if (!waiting.has(id)) this.rings.delete(id);
    this.queue = this.queue.filter(name => known.has(name));
    for (const [lane, job] of this.jobs) if (!known.has(job.key)) this.jobs.delete(lane);
    this.coming = this.coming.filter(({ batch }) => batch);
    this.dead = new Set(steps.filter(step => step[1] === DIED).map(step => step[4]));
  }

  play(now) {
    this.now = now;
    while (this.coming.length && this.coming[0].due <= now) {
      const { due, step, batch, job } = this.coming.shift();
      if (job) this.jobs.set(job.lane, job);
      else if (batch) this.count(batch);
      else this.act(due, ...step);
    }
    for (const [name, dot] of this.dots) {
      const late = now - dot.began - dot.takes;
      if ((dot.leaves && late > (dot.lingers ?? 0)) || (dot.place === "door" && late > UNHEARD_S)) this.dots.delete(name);
    }
    for (const [id, ring] of this.rings) if (now > ring.until + 1) this.rings.delete(id);
    return this.coming.length > 0 || this.rings.size > 0 || this.jobs.size > 0
      || [...this.dots.values()].some(dot => now < dot.began + dot.takes + 0.3 || dot.leaves || dot.place === "door");
  }

  act(due, t, kind, id, nth, lane, pause) {
    const name = key(id, nth);
    let dot = this.dots.get(name);
    if (kind === DIED) { this.dead.add(lane); this.jobs.delete(lane); return; }
    if (kind === CAME) { this.dead.delete(lane); return; }
    if (kind === WAITING) {
      this.rings.set(id, { seat: this.seat(id, lane), began: t, until: t + pause });
      return;
    }
    if (kind === GAVE_UP) { this.rings.delete(id); return; }
    if (kind === ABANDONED) { this.ghosts.add(name); return; }
    if (kind === ANSWERED) return;
    if (kind === SENT) {
      if (dot) return;
      const seat = this.rings.get(id)?.seat ?? this.seat(id, lane, true);
      this.rings.delete(id);
      dot = this.create(name, { id, nth, seat }, this.plan.seats[seat]);
      if (dot) this.go(dot, "door", due, HOP.door);
      return;
    }
    if (kind === RETURNED) dot = this.giveBack(name, id, nth, lane) ?? dot;
    this.leave(name, lane);
    if (kind === DELIVERED) this.await(due + HOP.worker, { job: { lane, key: name, began: due + HOP.worker, share: 0 } });
    dot ??= this.create(name, { id, nth, seat: this.seat(id, lane, true) }, this.start(kind));
    if (!dot) return;
    if (kind === HELD) { this.queue.push(name); this.go(dot, "queue", due, HOP.queue); }
    if (kind === RETURNED) { this.queue.unshift(name); this.go(dot, "queue", due, HOP.back); }
    if (kind === DELIVERED) { dot.lane = lane; this.go(dot, "worker", due, HOP.worker); }
    if (kind === DONE) { this.go(dot, "out", due, HOP.out); dot.leaves = true; this.flash.out = due + HOP.out; }
    if (kind === REFUSED) {
      this.go(dot, "back", due, HOP.back);
      Object.assign(dot, { leaves: true, cross: true, lingers: 0.25 });
      this.flash.door = due;
    }
    if (kind === KNOWN) { this.go(dot, "stay", due, HOP.fall); dot.leaves = true; }
    if (kind === REMOVED || kind === FAILED || kind === LOST) {
      this.go(dot, "fall", due, HOP.fall);
      Object.assign(dot, { leaves: true, lost: kind === LOST, cross: kind === FAILED });
    }
  }

  // The copy that a worker gives back is the same dot; where the worker keeps its own, there are two from now on.
  giveBack(name, id, nth, lane) {
    const before = key(id, nth - 1), dot = this.dots.get(before);
    if (!dot) return undefined;
    if (lane < 0) return this.create(name, { id, nth, seat: dot.seat }, [dot.x, dot.y]);
    this.leave(before, lane);
    this.dots.delete(before);
    this.dots.set(name, Object.assign(dot, { nth }));
    return dot;
  }

  leave(name, lane) {
    this.queue = this.queue.filter(other => other !== name);
    const at = lane >= 0 ? lane : this.dots.get(name)?.lane, job = this.jobs.get(at);
    if (job?.key !== name) return;
    this.ends.delete(name);
    this.ghosts.delete(name);
    this.mean += 0.1 * (Math.min(Math.max(this.now - job.began, 0), 10) - this.mean);
    this.jobs.delete(at);
  }

  create(name, dot, [x, y]) {
    if (this.dots.size >= MOST_DOTS || dot.id % this.share) return undefined;
    Object.assign(dot, { x, y });
    this.dots.set(name, dot);
    return dot;
  }

  // Where something stands of which only now is heard.
  start(kind) {
    const { door, slots } = this.plan;
    const head = slots[0] ?? [door.x + 60, door.y + door.h / 2];
    return kind === HELD || kind === REFUSED || kind === KNOWN ? [door.x, door.y + door.h / 2] : head;
  }

  go(dot, place, began, takes) {
    Object.assign(dot, { place, began, takes, x0: dot.x, y0: dot.y, to: undefined });
  }

  // A place in the column of senders; whoever waits has one alone, as long as there are any.
  seat(id, lane, passing = false) {
    const count = this.plan.seats.length;
    if (this.plan.named && lane >= 0) return lane % count;
    if (passing) return id % count;
    const taken = new Set([...this.rings.values()].map(ring => ring.seat));
    for (let n = 0; n < count; n++) if (!taken.has((id + n) % count)) return (id + n) % count;
    return id % count;
  }

  slot(rank) {
    const { slots, per_slot, wall, slot_px, door } = this.plan;
    // when a dot stands for several, the dots stand as far apart as their jobs do
    const at = this.per > 1 ? Math.floor(rank * this.inside[0] / Math.max(this.queue.length, 1)) : rank;
    const place = Math.floor(at / per_slot);
    if (place < slots.length) return slots[place];
    // no room: whoever was let in all the same stands before the wall, in a heap that grows towards the gateway
    const edge = (wall ? wall.x : Math.min(...slots.map(([x]) => x)) - slot_px / 2) - 8, room = edge - door.x - door.w;
    const over = Math.floor((at - slots.length * per_slot) / this.per), high = Math.floor(door.h / HEAP_PX) - 1;
    const column = Math.min(Math.floor(over / high), Math.floor(room / HEAP_PX));
    return [edge - column * HEAP_PX, door.y + door.h - (over % high + 1) * HEAP_PX];
  }

  target(dot, ranks) {
    const { seats, door, boxes, out } = this.plan, middle = door.y + door.h / 2;
    if (dot.place === "door") return [door.x - 8, middle + (dot.y0 - middle) * 0.55];
    if (dot.place === "queue") return this.slot(ranks.get(key(dot.id, dot.nth)) ?? 0);
    if (dot.place === "worker") { const b = boxes[dot.lane % boxes.length] ?? out; return [b.x + 14, b.y + b.h / 2]; }
    if (dot.place === "out") return [out.x + 6, out.y + out.h / 2 + (dot.y0 - out.y - out.h / 2) * 0.5];
    if (dot.place === "back") return seats[dot.seat];
    return [dot.x0, dot.y0 + (dot.place === "fall" ? 46 : 0)];
  }

  // Move everything to where it is now.
  settle(now, dt) {
    const ranks = new Map(this.queue.map((name, rank) => [name, rank]));
    for (const [name, dot] of this.dots) {
      dot.ghost ||= this.ghosts.has(name);
      const to = this.target(dot, ranks), s = smooth(clamp((now - dot.began) / dot.takes));
      if (dot.to && (dot.to[0] !== to[0] || dot.to[1] !== to[1])) {
        Object.assign(dot, { x0: dot.x, y0: dot.y, began: now, takes: 0.12, to });
        continue;
      }
      dot.to = dot.place === "queue" && s === 1 ? to : undefined;
      dot.x = dot.x0 + (to[0] - dot.x0) * s;
      dot.y = dot.y0 + (to[1] - dot.y0) * s;
      if (dot.place === "back") dot.y += 22 * Math.sin(Math.PI * s);
      dot.fade = dot.place === "fall" || dot.place === "stay" ? 1 - s
        : dot.leaves && dot.place === "back" ? 1 - clamp((now - dot.began - dot.takes) / dot.lingers) : 1;
    }
    for (const job of this.jobs.values()) {
      const ends = this.ends.get(job.key);
      if (ends !== undefined) job.share += (1 - job.share) * clamp(dt / Math.max(ends - now, dt));
      else job.share = Math.max(job.share, 1 - Math.exp(-Math.max(now - job.began, 0) / Math.max(this.mean, 0.01)));
      job.ghost = this.ghosts.has(job.key);
    }
  }
}


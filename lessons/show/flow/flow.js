// The flow view: dots that move from station to station, each at the true moment, two tenths of a second late.
//
// To the kernel: {kind: "ready", ...}, see ready.js, and {kind: "ack", n} when batch n was taken.
// From the kernel: {kind: "batch", n, now, fresh, over, steps, inside, labels, per}. A step is [t, kind, id, nth, lane,
// pause], as in steps.py; `inside` are the exact numbers in the queue and at workers. Where everything stands is in
// the trait `plan` (stage.py), the sentence below the canvas in the trait `line`.

function render({ model, el }) {
  const canvas = document.createElement("canvas"), said = document.createElement("p");
  canvas.className = "workbook-flow";
  canvas.setAttribute("role", "img");
  Object.assign(canvas.style, { maxWidth: "100%", display: "block", background: "#fff", borderRadius: "4px" });
  Object.assign(said.style, { margin: "4px 0", lineHeight: "1.4", maxWidth: "900px" });
  el.append(canvas, said);
  const context = canvas.getContext("2d");
  const scene = new Scene(model.get("plan")), painter = new Painter(context, model.get("plan"));
  const calm = matchMedia(quiet);
  let ahead, late = LATE_S, heard, frame = 0, before, offScreen = false;

  const clock = () => performance.now() / 1000;
  const resize = () => {
    const plan = model.get("plan"), ratio = Math.min(window.devicePixelRatio || 1, 2);
    scene.replan(plan);
    painter.replan(plan);
    [canvas.width, canvas.height] = plan.size.map(px => Math.round(px * ratio));
    canvas.style.width = `${plan.size[0]}px`;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    wake();
  };
  const draw = () => {
    frame = 0;
    const at = clock(), now = at + (ahead ?? -at) - late;
    const going = scene.play(now);
    scene.settle(now, Math.min(at - (before ?? at), 0.1));
    before = at;
    painter.paint(scene, now, !calm.matches);
    canvas.dataset.dots = scene.dots.size;
    if (going && !offScreen) wake();
    else before = undefined;
  };
  const wake = () => { frame ||= requestAnimationFrame(draw); };
  const take = message => {
    if (message.kind !== "batch") return;
    const at = clock(), found = message.now - at;
    // the kernel's clock as this page sees it: small differences are the way's, a large one is another run
    if (ahead === undefined || Math.abs(found - ahead) > 0.5) ahead = found;
    else ahead += 0.1 * (found - ahead);
    if (heard !== undefined && at - heard < 1) late += 0.1 * (Math.max(LATE_S, 1.3 * (at - heard)) - late);
    heard = at;
    scene.take(message, at + ahead - late);
    model.send({ kind: "ack", n: message.n });
    wake();
  };
  const say = () => {
    said.textContent = model.get("line");
    canvas.setAttribute("aria-label", `${model.get("plan").title}. ${model.get("line")}`);
  };
  const tell = () => tellReady(model, offScreen);
  const seen = new IntersectionObserver(entries => {
    const away = !entries.at(-1).isIntersecting;
    if (away === offScreen) return;
    offScreen = away;
    tell();
    wake();
  });

  model.on("msg:custom", take);
  model.on("change:line", say);
  model.on("change:plan", resize);
  document.addEventListener("visibilitychange", tell);
  calm.addEventListener("change", tell);
  seen.observe(canvas);
  resize();
  say();
  tell();
  return () => {
    cancelAnimationFrame(frame);
    seen.disconnect();
    model.off("msg:custom", take);
    model.off("change:line", say);
    model.off("change:plan", resize);
    document.removeEventListener("visibilitychange", tell);
    calm.removeEventListener("change", tell);
  };
}

export default { render };

// The live picture in the browser: an <img> that says when it has shown a frame.
//
// To the kernel: {kind: "ready", ...}, see ready.js, and {kind: "ack", n} when frame n was decoded, or could not be.
// From the kernel: {kind: "frame", n} with one PNG as its buffer.

// ipywidgets does not tie a slider's handle to its description; screen readers and tests need a name
function nameSliders(root) {
  for (const handle of root.querySelectorAll('[role="slider"]:not([aria-label])')) {
    const label = handle.closest(".widget-inline-hbox")?.querySelector(".widget-label");
    if (label?.textContent) handle.setAttribute("aria-label", label.textContent);
  }
}

function render({ model, el }) {
  const img = document.createElement("img");
  const style = { width: `${model.get("width")}px`, maxWidth: "100%", display: "block", background: "#fff" };
  Object.assign(img.style, style);
  img.setAttribute("role", "img");
  img.className = "workbook-picture";
  // never without a source: in a cell outside the window Chromium would lay alt text out in the picture's place and
  // keep to that when the picture came; of the picture's size, so that what is below does not jump
  img.src = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='900' height='500'/%3E";
  el.appendChild(img);

  let stale = [];
  const showFrame = (message, buffers) => {
    if (message.kind !== "frame") return;
    const url = URL.createObjectURL(new Blob([buffers[0]], { type: "image/png" }));
    const before = stale;
    stale = [...before, url];
    img.onload = img.onerror = () => {
      for (const old of stale) if (old !== url) URL.revokeObjectURL(old);
      stale = [url];
      img.dataset.frame = message.n;
      model.send({ kind: "ack", n: message.n });
    };
    img.src = url;
  };
  const showAlt = () => { img.alt = model.get("alt"); };
  const tell = () => tellReady(model);
  const label = () => {
    const root = el.closest(".workbook-panel");
    if (root) nameSliders(root);
  };

  model.on("msg:custom", showFrame);
  model.on("change:alt", showAlt);
  document.addEventListener("visibilitychange", tell);
  document.addEventListener("focusin", label);
  const later = setTimeout(label, 300);
  showAlt();
  tell();
  return () => {
    clearTimeout(later);
    model.off("msg:custom", showFrame);
    model.off("change:alt", showAlt);
    document.removeEventListener("visibilitychange", tell);
    document.removeEventListener("focusin", label);
    for (const url of stale) URL.revokeObjectURL(url);
  };
}

export default { render };

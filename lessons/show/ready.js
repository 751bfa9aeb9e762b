// What every widget of ours tells the kernel of its view.
//
// To the kernel: {kind: "ready", dpr, reduced, hidden, dark} when a view appears or its state changes.

const quiet = "(prefers-reduced-motion: reduce)";
const night = "(prefers-color-scheme: dark)";

function tellReady(model, hidden = false) {
  model.send({
    kind: "ready",
    dpr: window.devicePixelRatio || 1,
    reduced: matchMedia(quiet).matches,
    dark: matchMedia(night).matches,
    hidden: hidden || document.visibilityState === "hidden",
  });
}


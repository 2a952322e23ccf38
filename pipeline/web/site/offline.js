// @ts-check
/** Keeps the page on the device, and says when a new version of it is there. */

import { byId } from "./elements.js";

/** Register the service worker, which browsers allow from https addresses and from this computer itself. */
export async function keepOffline() {
  const state = byId("offline");
  if (!("serviceWorker" in navigator)) {
    state.textContent = "This browser or address does not let the page be kept: it needs the network to open (https would help).";
    return;
  }
  try {
    const registration = await navigator.serviceWorker.register("service-worker.js", { updateViaCache: "none" });
    registration.addEventListener("updatefound", () => watch(registration.installing));
    watch(registration.waiting ?? registration.installing);
    await navigator.serviceWorker.ready;
    state.textContent = "The page is kept on this device and opens without a network.";
  } catch {
    state.textContent = "The page could not be kept on this device; it needs the network to open.";
  }
}

/** Offer a version that is ready and waits for this one to go. @param {ServiceWorker | null} worker */
function watch(worker) {
  if (!worker) return;
  const offer = () => {
    if (worker.state !== "installed" || !navigator.serviceWorker.controller) return;
    const notice = byId("update");
    notice.hidden = false;
    notice.querySelector("button")?.addEventListener("click", () => {
      navigator.serviceWorker.addEventListener("controllerchange", () => location.reload());
      worker.postMessage("take over");
    });
  };
  worker.addEventListener("statechange", offer);
  offer();
}

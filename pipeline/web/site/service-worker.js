// @ts-check
/** Holds every file of one version of the page, and answers from there alone. */
"use strict";

importScripts("release.js");

/** @type {any} */
const worker = self;
/** @type {{version: string, files: Record<string, string>}} what `lesion web` has written, with each file's digest */
const RELEASE = worker.RELEASE;
const PREFIX = "lesion-";
const CACHE = `${PREFIX}${worker.registration.scope}-${RELEASE.version}`;

worker.addEventListener("install", (/** @type {any} */ event) => event.waitUntil(install()));
worker.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(activate()));
worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const { request } = event;
  if (request.method === "GET" && fileOf(request.url) !== null) event.respondWith(answer(request));
});
worker.addEventListener("message", (/** @type {MessageEvent} */ { data }) => {
  if (data === "take over") worker.skipWaiting();
});

async function install() {
  const cache = await caches.open(CACHE);
  await Promise.all(Object.entries(RELEASE.files).map(async ([file, integrity]) => {
    await cache.put(file, await whole(file, integrity));
  }));
}

/**
 * A file of exactly this version: what the browser holds already, if it is that, and else what the server has.
 * @param {string} file
 * @param {string} integrity
 */
async function whole(file, integrity) {
  const kept = await fetch(file, { integrity }).catch(() => null);
  const response = kept ?? (await fetch(file, { integrity, cache: "reload" }));
  if (!response.ok) throw new Error(`${file}: ${response.status}`);
  return response;
}

async function activate() {
  for (const name of await caches.keys()) {
    if (name.startsWith(`${PREFIX}${worker.registration.scope}-`) && name !== CACHE) await caches.delete(name);
  }
  await worker.clients.claim();
}

/** The file of this page that an address names; null where it is another's. @param {string} address */
function fileOf(address) {
  const { scope } = worker.registration;
  if (!address.startsWith(scope)) return null;
  const file = decodeURIComponent(new URL(address).pathname.slice(new URL(scope).pathname.length)) || "index.html";
  return file in RELEASE.files ? file : null;
}

/** @param {Request} request */
async function answer(request) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(/** @type {string} */ (fileOf(request.url)));
  return kept ?? fetch(request);
}

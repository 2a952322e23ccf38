// @ts-check
/**
 * The models' worker. A classic one, as LiteRT's script is none that can be imported; the page's modules come by
 * `import()`.
 */
"use strict";

importScripts("litert/litert_wasm_compat_internal.js");

/** @type {any} */
const scope = self;

/** @type {Promise<(request: any) => Promise<any>> | undefined} */
let answering;

/** Open both models; what comes back answers requests. */
async function start() {
  const [{ loadConstants }, { Runtime }, { Predictor }, { Photograph }] = await Promise.all([
    import("./constants.js"),
    import("./litert.js"),
    import("./prediction.js"),
    import("./reading.js"),
  ]);
  const constants = await loadConstants();
  const { segmentation, classification } = constants.models;
  const [wasm, ...contents] = await Promise.all([
    scope.ModuleFactory({ instantiateWasm, print() {}, printErr() {} }),
    bytesOf(segmentation.file),
    bytesOf(classification.file),
  ]);
  const runtime = new Runtime(wasm);
  const predictor = new Predictor(
    constants,
    await runtime.model(contents[0], segmentation),
    await runtime.model(contents[1], classification),
  );
  /** @type {{key: string, photograph: import("./reading.js").Photograph, found: import("./prediction.js").Found} | null} */
  let held = null;
  return async (/** @type {{key: string, file: Blob, choice: import("./prediction.js").Choice}} */ request) => {
    if (held?.key !== request.key) {
      held?.photograph.close();
      held = null;
      const photograph = await Photograph.open(request.file, constants.limits);
      held = { key: request.key, photograph, found: await predictor.find(photograph) };
    }
    return predictor.name(held.photograph, held.found, request.choice);
  };
}

/**
 * LiteRT's WebAssembly travels compressed, whatever the server does.
 * @param {WebAssembly.Imports} imports
 * @param {(instance: WebAssembly.Instance, module: WebAssembly.Module) => void} done
 */
function instantiateWasm(imports, done) {
  unpacked("litert/litert_wasm_compat_internal.wasm.gz")
    .then((response) => WebAssembly.instantiateStreaming(response, imports))
    .then(({ instance, module }) => done(instance, module), failed);
  return {};
}

/** @param {string} file */
async function unpacked(file) {
  const packed = (await fetched(file)).body;
  const stream = packed?.pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream, { headers: { "Content-Type": "application/wasm" } });
}

/** @param {string} file */
async function fetched(file) {
  const response = await fetch(file);
  if (!response.ok) throw new Error(`${file}: ${response.status}`);
  return response;
}

/** @param {string} file */
async function bytesOf(file) {
  return new Uint8Array(await (await fetched(file)).arrayBuffer());
}

/** @param {unknown} error that leaves the page without models */
function failed(error) {
  postMessage({ failure: String(error) });
}

/** @type {Promise<void>} what is under way: one image after the other */
let turn = Promise.resolve();

onmessage = ({ data }) => {
  turn = turn.then(() => answered(data));
};

/** @param {any} data of a request; without an `id` it only asks to open the models */
async function answered(data) {
  try {
    const answer = await (answering ??= start());
    if (data.id === undefined) postMessage({ ready: true });
    else postMessage({ id: data.id, prediction: await answer(data) });
  } catch (error) {
    if (error instanceof Error && error.name === "ImageProblem") postMessage({ id: data.id, problem: error.message });
    else failed(error);
  }
}

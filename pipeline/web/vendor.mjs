// @ts-check
/**
 * Copies LiteRT's WebAssembly from `node_modules` to `runtime/`, the large file compressed. With `--check` it writes
 * nothing, and fails where `runtime/` holds something else.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";

const FROM = new URL("node_modules/@litertjs/core/wasm/", import.meta.url);
const TO = new URL("runtime/", import.meta.url);
const NAME = "litert_wasm_compat_internal";

const script = readFileSync(new URL(`${NAME}.js`, FROM));
const wasm = readFileSync(new URL(`${NAME}.wasm`, FROM));

if (process.argv.includes("--check")) {
  const same =
    script.equals(readFileSync(new URL(`${NAME}.js`, TO))) &&
    wasm.equals(gunzipSync(readFileSync(new URL(`${NAME}.wasm.gz`, TO))));
  if (!same) throw new Error("runtime/ differs from the package that the lock names; run `npm run vendor`.");
} else {
  writeFileSync(new URL(`${NAME}.js`, TO), script);
  writeFileSync(new URL(`${NAME}.wasm.gz`, TO), gzipSync(wasm, { level: 9 }));
}

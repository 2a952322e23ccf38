// @ts-check
/**
 * A LiteRT model as a function from image to arrays: `@litertjs/core`'s WebAssembly, called without the package's
 * wrapper, which knows no whole-number inputs and asks the browser for its graphics processor.
 */

/**
 * @typedef {{scale: number, zero_point: number}} Quantisation of an output; a float output has scale 0
 * @typedef {{file: string, width: number, height: number, values: number[] | null, outputs: Quantisation[]}} ModelFacts
 *   `values` is what an input of whole numbers holds for each pixel value; null where the input takes them as they are
 */

const ELEMENTS = { 1: Float32Array, 3: Uint8Array, 9: Int8Array };

/** LiteRT's WebAssembly, and the models that run in it. */
export class Runtime {
  /** @param {any} wasm LiteRT's module */
  constructor(wasm) {
    this.wasm = wasm;
    wasm.setupLogging();
    this.environment = wasm.LiteRtEnvironment.create(null);
  }

  /**
   * @param {Uint8Array} content of a `.tflite` file
   * @param {ModelFacts} facts
   */
  async model(content, facts) {
    const pointer = this.wasm._malloc(content.byteLength); // LiteRT goes on reading it
    this.wasm.HEAPU8.set(content, pointer);
    const model = this.wasm.loadModel(this.environment, pointer, content.byteLength);
    const compiled = await this.wasm.compileModel(this.environment, model, {
      accelerator: "wasm",
      environment: this.environment,
      cpuOptions: { numThreads: 1 },
      gpuOptions: {},
      webNNOptions: {},
    });
    return new Model(this, model, compiled, facts);
  }
}

export class Model {
  /**
   * @param {Runtime} runtime
   * @param {any} model
   * @param {any} compiled
   * @param {ModelFacts} facts
   */
  constructor(runtime, model, compiled, facts) {
    this.wasm = runtime.wasm;
    this.environment = runtime.environment;
    this.compiled = compiled;
    this.facts = facts;
    this.inputType = model.getInputTensorType(0, 0);
    this.inputArray = elementsOf(this.inputType);
  }

  /**
   * @param {Uint8Array} image RGB of the model's size
   * @returns {Promise<Float32Array[]>} one array an output, those of the fewest axes first
   */
  async run(image) {
    const { wasm } = this;
    const { values } = this.facts;
    const bytes = image.length * this.inputArray.BYTES_PER_ELEMENT;
    const input = wasm.LiteRtTensorBuffer.createManaged(
      this.environment,
      wasm.LiteRtTensorBufferType.HOST_MEMORY,
      this.inputType,
      bytes,
    );
    const pointer = input.lock(wasm.LiteRtTensorBufferLockMode.WRITE);
    const target = new this.inputArray(wasm.HEAPU8.buffer, pointer, image.length);
    for (let at = 0; at < image.length; at++) target[at] = values ? values[image[at]] : image[at];
    input.unlock();
    const outputs = await this.compiled.run(0, [input]);
    input.delete();
    return outputs
      .map((/** @type {any} */ output) => this.taken(output))
      .sort((/** @type {any} */ one, /** @type {any} */ other) => one.axes - other.axes)
      .map((/** @type {any} */ { values }, /** @type {number} */ at) => dequantised(values, this.facts.outputs[at]));
  }

  /** The values of an output, copied, and its number of axes; the output is gone then. @param {any} output */
  taken(output) {
    const type = output.tensorType();
    const layout = type.layout();
    const axes = layout.rank();
    layout.delete();
    const pointer = output.lock(this.wasm.LiteRtTensorBufferLockMode.READ);
    const bytes = this.wasm.HEAPU8.slice(pointer, pointer + output.packedSize());
    output.unlock();
    output.delete();
    const values = new (elementsOf(type))(bytes.buffer);
    type.delete();
    return { axes, values };
  }
}

/** @param {any} tensorType */
function elementsOf(tensorType) {
  const type = tensorType.elementType().value;
  const elements = ELEMENTS[/** @type {keyof typeof ELEMENTS} */ (type)];
  if (!elements) throw new Error(`the model has a tensor of an unknown type (${type})`);
  return elements;
}

/** @param {Float32Array | Uint8Array | Int8Array} values @param {Quantisation} quantisation */
function dequantised(values, { scale, zero_point }) {
  if (values instanceof Float32Array) return values;
  return Float32Array.from(values, (value) => (value - zero_point) * Math.fround(scale || 1));
}

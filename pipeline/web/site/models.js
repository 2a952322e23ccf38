// @ts-check
/** The models in their worker, as one function that predicts one image after the other. */

import { ImageProblem } from "./headers.js";

/**
 * @typedef {import("./prediction.js").Choice} Choice
 * @typedef {import("./prediction.js").Prediction} Prediction
 * @typedef {{done: (prediction: Prediction) => void, failed: (error: Error) => void}} Waiting
 */

export class Models {
  constructor() {
    this.worker = new Worker(new URL("worker.js", import.meta.url));
    /** @type {Map<number, Waiting>} */
    this.waiting = new Map();
    this.count = 0;
    /** Resolves when the models are open. @type {Promise<void>} */
    this.ready = new Promise((resolve, reject) => {
      this.opened = resolve;
      this.broken = reject;
    });
    this.worker.onmessage = ({ data }) => this.take(data);
    this.worker.onerror = (event) => this.take({ failure: event.message });
    this.worker.postMessage({});
  }

  /**
   * @param {string} key the same for each request about the same file
   * @param {Blob} file
   * @param {Choice} [choice]
   * @returns {Promise<Prediction>}
   * @throws {ImageProblem} where the image can't be used
   */
  predict(key, file, choice = {}) {
    const id = this.count++;
    return new Promise((done, failed) => {
      this.waiting.set(id, { done, failed });
      this.worker.postMessage({ id, key, file, choice });
    });
  }

  /** @param {{ready?: boolean, failure?: string, id?: number, prediction?: Prediction, problem?: string}} message */
  take({ ready, failure, id = -1, prediction, problem }) {
    if (ready) this.opened?.();
    if (failure !== undefined) this.fail(new Error(failure));
    const request = this.waiting.get(id);
    this.waiting.delete(id);
    if (prediction) request?.done(prediction);
    else request?.failed(new ImageProblem(problem));
  }

  /** @param {Error} error that no request survives */
  fail(error) {
    this.broken?.(error);
    for (const { failed } of this.waiting.values()) failed(error);
    this.waiting.clear();
  }
}

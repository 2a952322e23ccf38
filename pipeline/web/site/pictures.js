// @ts-check
/** The images that the reader has given, predicted one after the other. */

import { ImageProblem } from "./headers.js";

/**
 * @typedef {import("./models.js").Models} Models
 * @typedef {import("./prediction.js").Prediction} Prediction
 * @typedef {{key: string, name: string, file: Blob, prediction?: Prediction, problem?: string}} Picture
 */

export const MOST_PICTURES = 500;

export class Pictures {
  /** @param {Models} models @param {() => void} changed is called when something about the pictures is new */
  constructor(models, changed) {
    this.models = models;
    this.changed = changed;
    /** @type {Picture[]} */
    this.all = [];
    this.leftOut = 0;
    this.count = 0;
  }

  get done() {
    return this.all.filter(({ prediction, problem }) => prediction || problem).length;
  }

  /** Take these files in place of those before. @param {{name: string, file: Blob}[]} files */
  async take(files) {
    const taken = files.slice(0, MOST_PICTURES).map(({ name, file }) => ({ key: `${this.count++}`, name, file }));
    this.all = taken;
    this.leftOut = files.length - taken.length;
    this.changed();
    for (const picture of taken) {
      if (this.all !== taken) return; // others have come, or all are removed
      await this.predict(picture);
      if (this.all === taken) this.changed();
    }
  }

  /** @param {Picture} picture */
  async predict(picture) {
    try {
      picture.prediction = await this.models.predict(picture.key, picture.file);
    } catch (error) {
      if (!(error instanceof ImageProblem)) throw error;
      picture.problem = error.message;
    }
  }
}

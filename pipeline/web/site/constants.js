// @ts-check
/** What the page knows of the models and of the Python package: `constants.json`, which `lesion web` writes. */

/**
 * @typedef {import("./litert.js").ModelFacts} ModelFacts
 * @typedef {{mean: number, deviation: number}} Scale
 * @typedef {{energy: Scale, unevenness: Scale, threshold: number, smallest_deviation: number}} EnergyDetector
 * @typedef {{
 *   mean: number[], deviation: number[], weights: number[], centres: number[][], factors: number[][][],
 *   rules: number[][], biases: number[], threshold: number, smallest_deviation: number,
 * }} AppearanceDetector
 * @typedef {{code: string, name: string, group: "malignant" | "benign" | "unknown"}} Diagnosis
 * @typedef {{name: string, unit: "" | "px" | "px²" | "ΔE", meaning: string, source: string}} MeasurementWords
 * @typedef {{
 *   name: string, created: string, licence: string, view: "crop" | "full", crop_margin: number, threshold: number,
 *   temperature: number, abstention_threshold: number,
 *   second_look: {below_confidence: number, temperature: number, abstention_threshold: number} | null,
 *   energy: EnergyDetector | null, appearance: AppearanceDetector | null,
 * }} Bundle
 * @typedef {{most_pixels: number, most_jpeg_pixels: number, smallest_side: number}} Limits
 * @typedef {{
 *   no_lesion: string, no_lesion_to_crop: string, low_confidence: string, unlike_training: string, cut_off: string,
 *   outside_crop: string,
 * }} Notes
 * @typedef {{
 *   bundle: Bundle,
 *   models: {segmentation: ModelFacts, classification: ModelFacts},
 *   classes: Diagnosis[],
 *   lesion: {smallest: number, largest: number, shortest_cut: number, most_outside: number},
 *   limits: Limits,
 *   enough: {whole: {width: number, height: number}, part: {width: number, height: number}},
 *   notes: Notes,
 *   meanings: Record<string, string>,
 *   no_answer: string,
 *   measuring: {side: number, rim: number, words: MeasurementWords[]},
 *   columns: string[],
 *   viridis: number[][],
 *   examples: {file: string, name: string}[],
 * }} Constants
 */

/** @returns {Promise<Constants>} */
export async function loadConstants() {
  const response = await fetch(new URL("constants.json", import.meta.url));
  if (!response.ok) throw new Error(`constants.json: ${response.status}`);
  return response.json();
}

// @ts-check
/** Connected components of a picture that is given as runs: the stretches of equal pixels in its rows. */

/** Runs of a picture, in the order of its rows, and which component each belongs to. */
export class Runs {
  /** @param {number} reach how far apart runs of neighbouring rows may be: 1 joins diagonal neighbours, 0 does not */
  constructor(reach) {
    this.reach = reach;
    /** @type {number[]} */ this.rows = [];
    /** @type {number[]} */ this.starts = [];
    /** @type {number[]} just outside */ this.ends = [];
    /** @type {number[]} */ this.parents = [];
    this.above = 0; // the first run of the row above
    this.here = 0; // the first run of this row
  }

  get count() {
    return this.rows.length;
  }

  /** Say that the runs of the next row follow. */
  nextRow() {
    this.above = this.here;
    this.here = this.count;
  }

  /**
   * @param {number} row
   * @param {number} start
   * @param {number} end just outside
   */
  add(row, start, end) {
    const run = this.count;
    this.rows.push(row);
    this.starts.push(start);
    this.ends.push(end);
    this.parents.push(run);
    while (this.above < this.here && this.ends[this.above] + this.reach <= start) this.above++;
    for (let over = this.above; over < this.here && this.starts[over] < end + this.reach; over++) this.join(run, over);
  }

  /** @param {number} run @returns {number} the first run of its component */
  component(run) {
    let first = run;
    while (this.parents[first] !== first) first = this.parents[first] = this.parents[this.parents[first]];
    return first;
  }

  /** @param {number} one @param {number} other */
  join(one, other) {
    const [a, b] = [this.component(one), this.component(other)];
    this.parents[Math.max(a, b)] = Math.min(a, b);
  }

  /** @returns {number} the component of the most pixels, the first of equals; -1 where there is no run */
  largest() {
    /** @type {Map<number, number>} */
    const areas = new Map();
    for (let run = 0; run < this.count; run++) {
      const first = this.component(run);
      areas.set(first, (areas.get(first) ?? 0) + this.ends[run] - this.starts[run]);
    }
    return [...areas].reduce((best, next) => (next[1] > best[1] ? next : best), [-1, 0])[0];
  }
}

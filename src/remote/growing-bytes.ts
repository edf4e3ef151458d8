/**
 * Bytes that come in pieces, in one piece of memory. An array of the pieces would keep every packet of a host that
 * sends single bytes.
 */
export class GrowingBytes {
  #memory: Buffer = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(piece: Buffer): void {
    const needed = this.#length + piece.length;
    if (needed > this.#memory.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#memory.length, 1024));
      this.#memory.copy(larger, 0, 0, this.#length);
      this.#memory = larger;
    }
    piece.copy(this.#memory, this.#length);
    this.#length = needed;
  }

  /** Forgets all but the first bytes. */
  cutTo(length: number): void {
    this.#length = Math.min(this.#length, length);
  }

  /** Forgets all but the last bytes. */
  keepLast(length: number): void {
    const kept = this.last(length);
    kept.copy(this.#memory);
    this.#length = kept.length;
  }

  /** The last bytes, at most `count`. They change with the next `add`. */
  last(count: number): Buffer {
    return this.#memory.subarray(Math.max(0, this.#length - count), this.#length);
  }

  all(): Buffer {
    return this.last(this.#length);
  }
}

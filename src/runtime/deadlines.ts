/**
 * Refs that wait for an instant, earliest first. Pure data structure: it knows no clock, so the
 * queue keeps one for wall-clock instants and one for monotonic ones.
 */

const FIRST_CAPACITY = 64;

/** A text whose instant has come, with the tag it was added with. */
type Due = { readonly text: string; readonly tag: number };

/**
 * A binary heap with at most one instant per text. Instants, tags and heap order live in typed
 * arrays and each text has a slot in them, so 100 000 waiting refs cost about 17 bytes each beside
 * the text's map entry, against some 400 bytes for a timer each.
 */
export class Deadlines {
  readonly #slots = new Map<string, number>();
  readonly #free: number[] = [];
  #texts: string[] = [];
  #atMs = new Float64Array(FIRST_CAPACITY);
  #tags = new Uint8Array(FIRST_CAPACITY);
  /** Heap position to slot. */
  #heap = new Int32Array(FIRST_CAPACITY);
  /** Slot to heap position. */
  #positions = new Int32Array(FIRST_CAPACITY);

  /** How many texts wait. */
  get size(): number {
    return this.#slots.size;
  }

  /** The earliest instant; undefined when nothing waits. */
  get nextMs(): number | undefined {
    return this.size === 0 ? undefined : this.#atMs[this.#heap[0] ?? 0];
  }

  /** The instant of a text; undefined when it does not wait. */
  get(text: string): number | undefined {
    const slot = this.#slots.get(text);
    return slot === undefined ? undefined : this.#atMs[slot];
  }

  /**
   * Lets a text wait until `atMs`; of two instants for one text the earlier one stays, with its tag.
   * @param tag 0 to 255, given back when the instant comes
   */
  add(text: string, atMs: number, tag: number): void {
    const known = this.#slots.get(text);
    if (known === undefined) return this.#insert(text, atMs, tag);
    if (atMs >= (this.#atMs[known] ?? 0)) return;
    this.#atMs[known] = atMs;
    this.#tags[known] = tag;
    this.#siftUp(this.#positions[known] ?? 0);
  }

  /** Forgets a text; false when it did not wait. */
  delete(text: string): boolean {
    const slot = this.#slots.get(text);
    if (slot === undefined) return false;
    const position = this.#positions[slot] ?? 0;
    const last = this.size - 1;
    this.#swap(position, last);
    this.#slots.delete(text);
    this.#texts[slot] = '';
    this.#free.push(slot);
    if (position < last) {
      this.#siftUp(position);
      this.#siftDown(position);
    }
    return true;
  }

  /** Removes and returns the earliest text whose instant has come; undefined when none has. */
  takeDue(nowMs: number): Due | undefined {
    const nextMs = this.nextMs;
    if (nextMs === undefined || nextMs > nowMs) return undefined;
    const slot = this.#heap[0] ?? 0;
    const due = { text: this.#texts[slot] ?? '', tag: this.#tags[slot] ?? 0 };
    this.delete(due.text);
    return due;
  }

  /** Nobody waits longer than until `atMs`. The heap stays in order, since min() keeps order. */
  hasten(atMs: number): void {
    for (const slot of this.#slots.values()) {
      this.#atMs[slot] = Math.min(this.#atMs[slot] ?? 0, atMs);
    }
  }

  /** Forgets every text. */
  clear(): void {
    this.#slots.clear();
    this.#free.length = 0;
    this.#texts = [];
  }

  #insert(text: string, atMs: number, tag: number): void {
    const position = this.size;
    const slot = this.#free.pop() ?? position;
    if (position >= this.#heap.length) this.#grow();
    this.#slots.set(text, slot);
    this.#texts[slot] = text;
    this.#atMs[slot] = atMs;
    this.#tags[slot] = tag;
    this.#place(position, slot);
    this.#siftUp(position);
  }

  #grow(): void {
    const capacity = this.#heap.length * 2;
    this.#atMs = grown(this.#atMs, new Float64Array(capacity));
    this.#tags = grown(this.#tags, new Uint8Array(capacity));
    this.#heap = grown(this.#heap, new Int32Array(capacity));
    this.#positions = grown(this.#positions, new Int32Array(capacity));
  }

  #siftUp(from: number): void {
    let position = from;
    while (position > 0) {
      const parent = (position - 1) >> 1;
      if (!this.#isBefore(position, parent)) return;
      this.#swap(position, parent);
      position = parent;
    }
  }

  #siftDown(from: number): void {
    let position = from;
    for (;;) {
      const left = 2 * position + 1;
      if (left >= this.size) return;
      const right = left + 1;
      const child = right < this.size && this.#isBefore(right, left) ? right : left;
      if (!this.#isBefore(child, position)) return;
      this.#swap(position, child);
      position = child;
    }
  }

  #isBefore(a: number, b: number): boolean {
    return (this.#atMs[this.#heap[a] ?? 0] ?? 0) < (this.#atMs[this.#heap[b] ?? 0] ?? 0);
  }

  #swap(a: number, b: number): void {
    const slotA = this.#heap[a] ?? 0;
    this.#place(a, this.#heap[b] ?? 0);
    this.#place(b, slotA);
  }

  #place(position: number, slot: number): void {
    this.#heap[position] = slot;
    this.#positions[slot] = position;
  }
}

function grown<A extends Float64Array | Int32Array | Uint8Array>(old: A, larger: A): A {
  larger.set(old);
  return larger;
}

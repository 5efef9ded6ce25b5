/** Milliseconds of work at a time, so that a request never waits for more. */
const slice = 2;

/**
 * Lets requests go first: `rest()` waits for a turn of the event loop when a slice of time is used up. Nothing stays behind when
 * the work ends, no timer and no handle.
 */
export class Slices {
  #from: number = performance.now();

  async rest(): Promise<void> {
    if (performance.now() - this.#from < slice) return;
    await new Promise((resolve) => void setImmediate(resolve));
    this.#from = performance.now();
  }
}

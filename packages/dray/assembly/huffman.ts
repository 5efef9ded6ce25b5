/** Prefix codes of bounded length, from counts. */
import { DEPTHS, PARENTS, PER_LENGTH, SORTED, WEIGHTS } from "./memory";

/**
 * Lengths of the codes of `symbols` symbols, none longer than `longest`. At least two symbols get one: decoders differ in what they
 * make of a code with a single word.
 */
export function codeLengths(counts: usize, symbols: i32, longest: i32, lengths: usize): void {
  memory.fill(lengths, 0, symbols as usize);
  let used = 0;
  for (let symbol = 0; symbol < symbols; symbol++) {
    const count = load<u32>(counts + ((symbol as usize) << 2));
    if (count > 0) store<u32>(SORTED + ((used++ as usize) << 2), (count << 9) | symbol);
  }
  for (let symbol = 0; used < 2; symbol++)
    if (load<u32>(counts + ((symbol as usize) << 2)) === 0)
      store<u32>(SORTED + ((used++ as usize) << 2), (1 << 9) | symbol);
  sort(used);
  growTree(used);
  countLengths(used, longest);
  // The rarest symbols get the longest codes.
  let at = SORTED;
  for (let length = longest; length > 0; length--) {
    for (let left = load<u32>(PER_LENGTH + ((length as usize) << 2)); left > 0; left--, at += 4)
      store<u8>(lengths + ((load<u32>(at) & 511) as usize), length);
  }
}

/** By count, then by symbol: Shell's sort, of a few hundred. */
function sort(used: i32): void {
  for (
    let gap = 132;
    gap > 0;
    gap = gap === 132 ? 57 : gap === 57 ? 23 : gap === 23 ? 10 : gap === 10 ? 4 : gap === 4 ? 1 : 0
  ) {
    for (let i = gap; i < used; i++) {
      const moving = load<u32>(SORTED + ((i as usize) << 2));
      let to = i;
      for (; to >= gap; to -= gap) {
        const before = load<u32>(SORTED + (((to - gap) as usize) << 2));
        if (before <= moving) break;
        store<u32>(SORTED + ((to as usize) << 2), before);
      }
      store<u32>(SORTED + ((to as usize) << 2), moving);
    }
  }
}

/** Joins the two lightest, again and again: leaves lie sorted, and what was joined gets heavier each time, so both are queues. */
function growTree(used: i32): void {
  for (let i = 0; i < used; i++)
    store<u32>(WEIGHTS + ((i as usize) << 2), load<u32>(SORTED + ((i as usize) << 2)) >> 9);
  let leaf = 0;
  let joined = used;
  const nodes = 2 * used - 1;
  for (let node = used; node < nodes; node++) {
    let weight: u32 = 0;
    for (let child = 0; child < 2; child++) {
      const takesLeaf =
        leaf < used &&
        (joined >= node ||
          load<u32>(WEIGHTS + ((leaf as usize) << 2)) <= load<u32>(WEIGHTS + ((joined as usize) << 2)));
      const taken = takesLeaf ? leaf++ : joined++;
      weight += load<u32>(WEIGHTS + ((taken as usize) << 2));
      store<u32>(PARENTS + ((taken as usize) << 2), node);
    }
    store<u32>(WEIGHTS + ((node as usize) << 2), weight);
  }
}

/** How many codes of each length there are. Those that would be too long are cut, and shorter ones made longer until all fit. */
function countLengths(used: i32, longest: i32): void {
  memory.fill(PER_LENGTH, 0, 16 << 2);
  const root = 2 * used - 2;
  store<u8>(DEPTHS + (root as usize), 0);
  let room: u32 = 0;
  for (let node = root - 1; node >= 0; node--) {
    const depth = (load<u8>(DEPTHS + (load<u32>(PARENTS + ((node as usize) << 2)) as usize)) as i32) + 1;
    store<u8>(DEPTHS + (node as usize), depth);
    if (node >= used) continue;
    const length = min(depth, longest);
    const counter = PER_LENGTH + ((length as usize) << 2);
    store<u32>(counter, load<u32>(counter) + 1);
    room += 1 << (longest - length);
  }
  for (; room > (1 as u32) << longest; room--) {
    let length = longest - 1;
    while (load<u32>(PER_LENGTH + ((length as usize) << 2)) === 0) length--;
    const counter = PER_LENGTH + ((length as usize) << 2);
    // One word of this length becomes the beginning of two, for itself and for one that was cut.
    store<u32>(counter, load<u32>(counter) - 1);
    store<u32>(counter + 4, load<u32>(counter + 4) + 2);
    const last = PER_LENGTH + ((longest as usize) << 2);
    store<u32>(last, load<u32>(last) - 1);
  }
}

/** The codes that belong to lengths: in the order of the symbols, turned round, since their first bit is sent first. */
export function assignCodes(lengths: usize, symbols: i32, codes: usize): void {
  memory.fill(PER_LENGTH, 0, 17 << 2);
  for (let symbol = 0; symbol < symbols; symbol++) {
    const counter = PER_LENGTH + ((load<u8>(lengths + (symbol as usize)) as usize) << 2);
    store<u32>(counter, load<u32>(counter) + 1);
  }
  let next: u32 = 0;
  store<u32>(PER_LENGTH, 0);
  for (let length = 1; length < 16; length++) {
    const counter = PER_LENGTH + ((length as usize) << 2);
    const count = load<u32>(counter);
    next <<= 1;
    store<u32>(counter, next);
    next += count;
  }
  for (let symbol = 0; symbol < symbols; symbol++) {
    const length = load<u8>(lengths + (symbol as usize)) as u32;
    if (length === 0) {
      store<u32>(codes + ((symbol as usize) << 2), 0);
      continue;
    }
    const counter = PER_LENGTH + ((length as usize) << 2);
    const code = load<u32>(counter);
    store<u32>(counter, code + 1);
    store<u32>(codes + ((symbol as usize) << 2), (turned(code) >> (16 - length)) | (length << 24));
  }
}

/** 16 bits, the last one first. */
function turned(code: u32): u32 {
  code = ((code & 0x5555) << 1) | ((code >> 1) & 0x5555);
  code = ((code & 0x3333) << 2) | ((code >> 2) & 0x3333);
  code = ((code & 0x0f0f) << 4) | ((code >> 4) & 0x0f0f);
  return ((code & 0xff) << 8) | (code >> 8);
}

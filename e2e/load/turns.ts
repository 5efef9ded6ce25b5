/**
 * Loaded before a server: writes into the file that `DRAY_TURNS` names how much processor time its main thread spent between two turns
 * of its event loop, in milliseconds, where it was much. What else the machine does costs no processor time of this thread.
 */
import { appendFileSync, openSync, readSync } from "node:fs";

const file = process.env["DRAY_TURNS"];
/** Milliseconds below which nothing is said. */
const least = 20;

if (file !== undefined) {
  const schedule = openSync("/proc/thread-self/schedstat", "r");
  const bytes = Buffer.alloc(100);
  const spent = (): number =>
    Number(bytes.toString("latin1", 0, readSync(schedule, bytes, 0, bytes.byteLength, 0)).split(" ")[0]) / 1e6;
  let last = spent();
  setInterval(() => {
    const now = spent();
    if (now - last >= least) appendFileSync(file, `${(now - last).toFixed(1)}\n`);
    last = spent();
  }, 2).unref();
}

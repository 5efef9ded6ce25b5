import { compareText } from "../natural.ts";
import type { Order } from "./order.ts";

/** What comes last in the alphabet first, by code units. */
export const byText: Order = {
  read: (value) => ({ value, key: value, flavour: "", numbers: 0 }),
  compare: (a, b) => compareText(b.value, a.value),
};

/** No order by itself, for those that go by something else than names. */
export const byNothing: Order = { read: byText.read, compare: () => 0 };

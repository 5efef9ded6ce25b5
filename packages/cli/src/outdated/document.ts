import type { OutdatedImage } from "@dray/watch";
import { defined } from "dray/internal/defined";

/** One image for `-o json`; docs/json.md says what each member means. */
export const outdatedDocument = ({ image, state, running, newest, step, reason }: OutdatedImage): object =>
  defined({
    image: image.image,
    registry: image.reference.registry,
    repository: image.reference.repository,
    state,
    running,
    newest: newest === undefined ? undefined : { ...newest, created: newest.created?.toISOString() },
    step,
    reason,
    places: image.places,
  });

import type { Change } from "../edit.ts";
import { chosenSteps, type LayerChoice } from "./layer-choice.ts";
import { ofLayers } from "./of-layers.ts";
import { changeTo } from "./steps.ts";

/**
 * Takes layers away, with their history. What layers above say of files in them is not looked at.
 * @throws DrayError from `edit` `NOT_FOUND` for a layer that an image does not have, `USAGE`
 * @example await edit(view, withoutLayers([-1, "sha256:…"]));
 */
export const withoutLayers = (layers: readonly LayerChoice[]): Change =>
  ofLayers((steps, image) => {
    const gone = chosenSteps(steps, layers, image);
    return gone.size === 0 ? undefined : changeTo(steps.filter((step) => !gone.has(step)));
  });

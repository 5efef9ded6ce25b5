import { type Access, fetchJson, htpasswd, openAccess, tokens } from "../access/index.ts";
import type { AccessSettings } from "../config/index.ts";
import type { Notice } from "../notice.ts";

/** Who may do what, by the settings. @throws DrayError where a file that is needed for it cannot be read */
export const accessOf = async (settings: AccessSettings, onNotice: (notice: Notice) => void): Promise<Access> => {
  switch (settings.kind) {
    case "none":
      return openAccess();
    case "htpasswd":
      return htpasswd({ ...settings.options, onNotice });
    case "token":
      return tokens({ ...settings.options, fetchJson, onNotice });
  }
};

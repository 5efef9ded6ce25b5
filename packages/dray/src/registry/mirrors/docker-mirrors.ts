import { redactUrl } from "../../http/index.ts";
import { type ConfigDocument, Table } from "./document.ts";
import { type MirrorRule, parseMirrorLocation } from "./rules.ts";

/**
 * Reads what docker's `daemon.json` says of mirrors: `registry-mirrors`, which are of Docker Hub alone and have their API below the path that
 * they name, and `insecure-registries`. What it says besides is about the engine.
 * @throws DrayError `CONFIG_INVALID`
 * @example dockerMirrors({ file: "daemon.json", content: JSON.parse(text) })
 */
export const dockerMirrors = ({ file, content }: ConfigDocument): readonly MirrorRule[] => {
  const root = new Table(content, file);
  const mirrors = (root.texts("registry-mirrors") ?? []).map((url) => {
    if (!/^https?:\/\//.test(url))
      throw root.invalid(`"registry-mirrors" has "${redactUrl(url)}"; expected a URL, https://HOST`);
    const { host, path } = parseMirrorLocation(url, `${file}: "registry-mirrors"`);
    // With images in containerd a path that ends in it already is taken as it is.
    const below = path === "" || /(^|\/)v2$/.test(path) ? path : `${path}/v2`;
    return { location: host, ...(below === "" ? {} : { apiPath: `/${below}` }) };
  });
  // Networks are not names.
  const hosts = (root.texts("insecure-registries") ?? []).filter((each) => !each.includes("/"));
  return [
    ...(mirrors.length === 0 ? [] : [{ prefix: "docker.io", from: file, mirrors }]),
    ...hosts.map((prefix) => ({ prefix, from: file, insecure: true })),
  ];
};

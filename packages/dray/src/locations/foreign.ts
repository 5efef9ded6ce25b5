/** What other tools call the kinds of place that there are. */
export const elsewhere: Readonly<Record<string, string>> = {
  ocidir: "oci:",
  "oci-dir": "oci:",
  "oci-layout": "oci:",
  ociarchive: "oci-archive:",
  "oci-tar": "oci-archive:",
  dockerarchive: "docker-archive:",
  "docker-tar": "docker-archive:",
};

/** Kinds of place that other tools have, and the way round. */
export const notYet: Readonly<Record<string, string>> = {
  dir: "skopeo copy makes a layout of it, oci:DIR:NAME, and the other way round",
  "docker-daemon": "docker save -o FILE IMAGE writes docker-archive:FILE, and docker load -i FILE reads it",
  "containers-storage": "podman save -o FILE IMAGE writes docker-archive:FILE, and podman load -i FILE reads it",
};

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
  "containers-storage":
    "podman system service makes its images docker-daemon:NAME; or podman save -o FILE IMAGE writes docker-archive:FILE, and podman load -i FILE reads it",
};

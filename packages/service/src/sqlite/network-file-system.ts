/** Types of `/proc/self/mountinfo` whose files other machines may see, or whose shared memory and locks cannot be relied on. */
const types =
  "9p afs beegfs ceph cifs cvmfs gfs2 glusterfs gpfs lustre ncpfs nfs nfs4 ocfs2 orangefs smb2 smb3 smbfs virtiofs";
const network = new Set(types.split(" "));

/**
 * Whether an absolute path lies on a network file system, by the text of `/proc/self/mountinfo`. The longest mount point above it
 * decides, and of several on one place the last.
 * @see https://www.sqlite.org/wal.html: "WAL does not work over a network filesystem"
 */
export const isOnNetwork = (path: string, mountinfo: string): boolean => {
  let longest = -1;
  let type = "";
  for (const line of mountinfo.split("\n")) {
    const [before = "", after = ""] = line.split(" - ", 2);
    const point = plain(before.split(" ")[4] ?? "");
    const inside = point === "/" ? "/" : `${point}/`;
    if (point === "" || point.length < longest || !`${path}/`.startsWith(inside)) continue;
    longest = point.length;
    type = after.split(" ")[0] ?? "";
  }
  return network.has(type) || type === "fuse" || type.startsWith("fuse.");
};

/** Blanks and backslashes are written as octal numbers there. */
const plain = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

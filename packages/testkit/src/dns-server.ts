import { createSocket, type RemoteInfo } from "node:dgram";
import { once } from "node:events";

/** Where a service is. */
export interface SrvRecord {
  /** With its dot at the end or without. */
  readonly name: string;
  readonly port: number;
}

/** A name server that knows SRV records, and addresses of this machine for their targets. */
export interface DnsServer {
  /** `127.0.0.1:41234` */
  readonly host: string;
  /** SRV records by name; a name that is not there does not exist. May be changed at any time. */
  readonly records: Map<string, readonly SrvRecord[]>;
  /** Questions that were asked: `SRV _memcached._tcp.cache.test`. */
  readonly asked: string[];
  close(): Promise<void>;
}

const [typeA, typeSrv] = [1, 33];
const typeNames: Readonly<Record<number, string>> = { [typeA]: "A", 28: "AAAA", [typeSrv]: "SRV" };

/** Starts one on a free port of 127.0.0.1, over UDP. */
export const startDnsServer = async (
  records: Readonly<Record<string, readonly SrvRecord[]>> = {},
): Promise<DnsServer> => {
  const known = new Map(Object.entries(records));
  const asked: string[] = [];
  const socket = createSocket("udp4");
  socket.on("message", (message: Buffer, { address, port }: RemoteInfo) => {
    const { name, end } = nameAt(message, 12);
    const type = message.readUInt16BE(end);
    asked.push(`${typeNames[type] ?? type} ${name}`);
    const answers = answersFor(known, name, type);
    const header = Buffer.alloc(12);
    message.copy(header, 0, 0, 2);
    // An answer with authority; 3 says that there is no such name.
    header.writeUInt16BE(0x8580 | (answers === undefined ? 3 : 0), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(answers?.length ?? 0, 6);
    socket.send(Buffer.concat([header, message.subarray(12, end + 4), ...(answers ?? [])]), port, address);
  });
  await once(socket.bind(0, "127.0.0.1"), "listening");
  return {
    host: `127.0.0.1:${socket.address().port}`,
    records: known,
    asked,
    close: async () => {
      const closed = once(socket, "close");
      socket.close();
      await closed;
    },
  };
};

const answersFor = (records: DnsServer["records"], asked: string, type: number): readonly Buffer[] | undefined => {
  const name = asked.toLowerCase();
  const found = records.get(name);
  if (found !== undefined)
    return type !== typeSrv ? [] : found.map(({ name: target, port }) => answer(typeSrv, srvData(port, target)));
  const isTarget = [...records.values()].flat().some((record) => record.name.replace(/\.$/, "") === name);
  if (!isTarget) return undefined;
  return type === typeA ? [answer(typeA, Buffer.from([127, 0, 0, 1]))] : [];
};

/** A record of the name that was asked for, which lasts no time. */
const answer = (type: number, data: Buffer): Buffer => {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(data.byteLength, 10);
  return Buffer.concat([head, data]);
};

const srvData = (port: number, target: string): Buffer => {
  const numbers = Buffer.alloc(6);
  numbers.writeUInt16BE(port, 4);
  const labels = target.split(".").filter((label) => label !== "");
  return Buffer.concat([
    numbers,
    ...labels.flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]),
    Buffer.alloc(1),
  ]);
};

const nameAt = (message: Buffer, start: number): { readonly name: string; readonly end: number } => {
  const labels: string[] = [];
  let at = start;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join("."), end: at + 1 };
};

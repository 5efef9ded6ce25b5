import type { Sink } from "./sink.ts";

const literal = { type: "scalar", style: "literal", verbatim: true } as const;

/** A list: a reference on each line, with comments after `#`. */
export const inList = (text: string, sink: Sink): void => {
  for (const { 0: line, index } of text.matchAll(/[^\r\n]+/g)) {
    const [, blank = "", word = "", rest = ""] = /^(\s*)([^\s#]*)(.*)$/s.exec(line) ?? [];
    if (word === "") continue;
    const start = index + blank.length;
    if (rest.trim() !== "" && !/^\s+#/.test(rest))
      sink.fault("a list has one reference on a line", start + word.length, "CONFIG_INVALID");
    else sink.whole("line", { ...literal, text: word, start, end: start + word.length }, "");
  }
};

/** Whether a text is such a list, and not any text: at least one line, and each a reference that names more than a word. */
export const isList = (text: string): boolean => {
  const lines = text.split(/\r?\n/).map((line) => line.replace(/(?:^|\s)#.*$/, "").trim());
  const said = lines.filter((line) => line !== "");
  return (
    said.length > 0 &&
    said.every((line) =>
      /^[a-z0-9][\w.-]*(?::\d+)?(?:\/[\w.-]+)*(?::[\w.-]+|@sha256:[0-9a-f]{64}|\/[\w.-]+)+$/i.test(line),
    )
  );
};

/** `Image=` of podman's units, which may name another unit instead. */
export const inQuadlet = (text: string, sink: Sink): void => {
  let section = "";
  for (const { 0: line, index } of text.matchAll(/[^\r\n]+/g)) {
    const [, named] = /^\s*\[([^\]]*)\]\s*$/.exec(line) ?? [];
    if (named !== undefined) section = named;
    const [whole, before = "", value = ""] = /^(\s*Image\s*=\s*)(\S+)\s*$/.exec(line) ?? [];
    if (whole === undefined || !/^(?:Container|Volume|Image)$/.test(section)) continue;
    const isElsewhere = /\.(?:image|build)$/.test(value) || /^(?!docker:)[a-z-]+:(?:\/|$)/.test(value);
    const start = index + before.length;
    if (!isElsewhere)
      sink.whole("unit", { ...literal, text: value, start, end: start + value.length }, `${section}.Image`, {
        dialect: "systemd",
      });
  }
};

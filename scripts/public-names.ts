/** What a source itself declares and exports; what it passes on from elsewhere is not its own. Pure. */
export const publicNames = (source: string): string[] => {
  const declared =
    /^export (?:declare )?(?:abstract )?(?:async )?(?:const|let|class|interface|type|function\*?) (\w+)/gm;
  const listed = /^export (?:type )?\{([^}]*)\};?$/gm;
  return [
    ...[...source.matchAll(declared)].map(([, name = ""]) => name),
    ...[...source.matchAll(listed)].flatMap(([, names = ""]) =>
      names
        .split(",")
        .map((name) => name.trim().split(/\s/).at(-1) ?? "")
        .filter((name) => name !== ""),
    ),
  ];
};

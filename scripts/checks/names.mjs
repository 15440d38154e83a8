// Each exported name belongs to one file. If two files export the same name, readers confuse them, and a search finds both.

const EXPORTED = /^export (?:declare )?(?:async )?(?:const|let|var|function\*?|(?:abstract )?class|interface|type|enum) ([\w$]+)/gm;

/** Names that two files export, with the reason: they are one thing, which cannot be in one place. */
export const SHARED_NAMES = {
  embeddedTrust: "packages/verifier/src/index.ts calls the one of trust/trust-file.ts with every algorithm",
  trustFileUnchecked: "packages/verifier/src/index.ts calls the one of trust/trust-file.ts with every algorithm",
  grouped: "one line; keys and report have no package in common but the verifier, which formats nothing for people",
  randomBytes: "inspector/src/node replaces node:crypto in browsers, under its names",
  violations: "the build replaces both modules with checks that Ajv has compiled from schemas",
};

/** Names that several of the files export, and allowed ones that only one does any more. */
export function checkNames(files, allowed = SHARED_NAMES) {
  const places = new Map();
  for (const { path, text } of files)
    for (const name of new Set([...text.matchAll(EXPORTED)].map(([, name]) => name))) places.set(name, [...(places.get(name) ?? []), path]);
  const several = [...places].filter(([, paths]) => paths.length > 1);
  return [
    ...several
      .filter(([name]) => !Object.hasOwn(allowed, name))
      .map(([name, paths]) => `${name} is exported by ${paths.join(", ")}: give each a name of its own, or share one`),
    ...Object.keys(allowed)
      .filter((name) => !several.some(([one]) => one === name))
      .map((name) => `${name} is exported by one file: remove it from SHARED_NAMES`),
  ];
}

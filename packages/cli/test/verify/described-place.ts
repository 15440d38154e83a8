// Unsigned releases from descriptions, for tests of what devices do with them.

import type { Place } from "../../../test-support/src/command-line/run.js";

export const VENDOR = "cfbff0d1-9375-5685-968c-48ce8b15ae17";
export const CLASSES = ["7ef25e26-57d5-563d-bec7-161eb72060bb", "14399a69-1d48-5c86-90d6-82564bf630a2"] as const;

export const identity = (classId: string) => [
  { "directive-override-parameters": { "vendor-identifier": VENDOR, "class-identifier": classId } },
  "condition-vendor-identifier",
  "condition-class-identifier",
];
export const setImage = (uri: string, more: object = {}) => ({
  "directive-override-parameters": { uri, image: { payload: uri }, ...more },
});
export const fetched = (uri: string) => [setImage(uri), "directive-fetch", "condition-image-match"];

export interface Commands {
  shared?: unknown[];
  install: unknown[];
  load?: unknown[];
  invoke?: unknown[];
  components?: unknown[];
}

/** An unsigned release; its payloads are their own names. */
export async function release(
  p: Place,
  name: string,
  { shared = identity(CLASSES[0]), install, load, invoke, components = [[{ hex: "00" }]] }: Commands,
) {
  const uris = [...new Set(JSON.stringify([shared, install, load]).match(/#[a-z0-9]+/g) ?? [])];
  p.put(
    `${name}.json`,
    JSON.stringify({
      $schema: "urn:firmseal:manifest:1",
      sequence: 3,
      components,
      "shared-sequence": shared,
      install,
      ...(load && { load }),
      ...(invoke && { invoke }),
      ...(uris.length > 0 && { payloads: Object.fromEntries(uris.map((uri) => [uri, uri])) }),
    }),
  );
  await p.ok(["create", "--from", `${name}.json`]);
  return `${name}.suit`;
}

// Descriptions as seeds: those of the documents, and one for the old tool.

import { readFileSync } from "node:fs";

const OLD = {
  "manifest-version": 1,
  "manifest-sequence-number": 9,
  components: [
    {
      "install-id": ["00"],
      "vendor-id": "fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe",
      "class-id": "1492af14-2569-5e48-bf42-9b2d51f2ab45",
      "install-digest": { "algorithm-id": "sha256", "digest-bytes": "00".repeat(32) },
      "install-size": 9,
      uri: "http://example.com/file.bin",
      "install-on-download": false,
      bootable: true,
      compression: "gzip",
      file: "a.bin",
      offset: 0,
    },
    { "install-id": ["01"], loadable: true, "load-digest": "copy" },
  ],
};

export function descriptionSeeds(): Uint8Array[] {
  const blocks = [...readFileSync("docs/reference/description.md", "utf8").matchAll(/```json[^\n]*\n([\s\S]*?)```/g)].map(
    ([, text]) => text as string,
  );
  return [...blocks, JSON.stringify(OLD)].map((text) => Buffer.from(text));
}

// Product files that are expensive to read.

import { keyA } from "../../../../../test-support/src/command-line/run.js";
import type { Row } from "../budget.js";
import { repeat } from "../budget-inputs.js";
import { REFUSED } from "./common.js";

const onProduct = (name: string, units: number, make: (n: number) => string): Row => ({
  name,
  units,
  exit: REFUSED,
  args(place, n, tag) {
    place.put(`${tag}.toml`, make(n));
    return ["release", "--version", "1.0.0", "--product", `${tag}.toml`, "--dry-run"];
  },
});

const PRODUCT = 'name = "x"\nvendor = "a.b"\n';

export const PRODUCTS: Row[] = [
  onProduct("release: a dotted key", 40_000, (n) => `${PRODUCT}${repeat(n, () => "a").join(".")} = 1\n`),
  onProduct("release: boards", 4_000, (n) => `${PRODUCT}${repeat(n, (i) => `[boards.b${i}]\nimage = "x"\n`).join("")}`),
  onProduct("release: unknown members", 20_000, (n) => `${PRODUCT}${repeat(n, (i) => `m${i} = 1\n`).join("")}`),
  onProduct(
    "release: members of an inline table",
    20_000,
    (n) => `${PRODUCT}policy = { ${repeat(n, (i) => `m${i} = 1`).join(", ")} }\nx = 1\n`,
  ),
  onProduct("release: quotes in a line", 40_000, (n) => `${PRODUCT}uri = [ ${repeat(n, () => `",'"`).join(", ")} ]\nx = 1\n`),
  onProduct("release: brackets in a line", 40_000, (n) => `${PRODUCT}uri = [ ${repeat(n, () => "[],").join(" ")} ]\nx = 1\n`),
  onProduct("release: escaped quotes in a comment", 20_000, (n) => `${PRODUCT}# "${repeat(n, () => '\\"').join("")}\nx = 1\n`),
  onProduct("release: references to keys", 20_000, (n) => `${PRODUCT}[keys]\nrelease = [ ${repeat(n, () => '"A.pem"').join(", ")} ]\n`),
  {
    name: "release: stars in a pattern",
    units: 200,
    exit: REFUSED,
    args(place, n, tag) {
      place.putKeys({ A: keyA });
      place.folder(`${tag}.files`);
      place.put(`${tag}.files/${"a".repeat(60)}`, "");
      const image = `${tag}.files/${repeat(n, () => "*a").join("")}*b`;
      place.put(`${tag}.toml`, `${PRODUCT}[keys]\nrelease = "A.pem"\n[boards.b]\nimage = "${image}"\n`);
      return ["release", "--version", "1.0.0", "--product", `${tag}.toml`, "--dry-run"];
    },
  },
  {
    name: "verify: artifacts of a record",
    units: 2_000,
    exit: REFUSED,
    args(place, n, tag) {
      place.folder(tag);
      const id = "00000000-0000-0000-0000-000000000000";
      const digest = `sha-256:${"0".repeat(64)}`;
      const artifacts = repeat(n, (i) => ({
        kind: "envelope",
        file: `f${i}`,
        digest,
        size: 1,
        uri: null,
        board: `b${i}`,
        revisions: [],
        component: null,
        slot: null,
        vendorId: id,
        classes: [{ name: "c", id }],
        version: "1.0.0",
        sequence: "1",
        envelope: `f${i}`,
        manifest: digest,
        signers: [{ alg: "ed25519", kid: null, thumbprint: "00", role: "release", tbs: "0".repeat(64) }],
        testKeys: [],
      }));
      place.put(
        `${tag}/release.json`,
        JSON.stringify({ $schema: "urn:firmseal:release:1", product: "x", vendor: "a.b", version: "1.0.0", sequence: "1", artifacts }),
      );
      place.put(`${tag}/SHA256SUMS`, artifacts.map(({ file }) => `${"0".repeat(64)}  ${file}\n`).join(""));
      place.put(`${tag}.toml`, `${PRODUCT}[keys]\nrelease = "A.pem"\n[boards.b]\nimage = "x"\n`);
      return ["verify", tag, "--product", `${tag}.toml`];
    },
  },
];

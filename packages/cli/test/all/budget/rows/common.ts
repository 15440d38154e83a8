// What rows of several kinds need.

import type { Place } from "../../../../../test-support/src/command-line/run.js";
import { repeat } from "../budget-inputs.js";

export const REFUSED = [1];

export const tbs = ["tbs", "{}.suit", "--key", "A.jwk", "--out", "{}.tbs"];

export const inspect = ["inspect", "{}.suit"];

export async function trustFile(place: Place): Promise<void> {
  if (place.has("t.trust")) return;
  const anchors = [
    { key: "B.jwk", roles: ["root"] },
    { key: "A.jwk", roles: ["release"] },
  ];
  place.put(
    "t.json",
    JSON.stringify({ $schema: "urn:firmseal:trust:1", name: "x", sequence: 1, anchors, thresholds: { root: 1, release: 1 } }),
  );
  await place.ok(["trust", "create", "--from", "t.json", "--out", "t.trust"]);
  await place.ok(["trust", "sign", "t.trust", "--key", "B.pem"]);
}

export const fleetCsv = (n: number, row: (i: number) => string) =>
  `name,class,floor,trust,vendor\n${repeat(n, (i) => `${row(i)},t.trust,example.com\n`).join("")}`;

// A fleet file, its trust files and an archive of bridges, for the tests of plan and next.

import { type PrivateKey, publicOf, toJwk, withKid } from "@firmseal/signer";
import { Place } from "../../../test-support/src/command-line/run.js";
import { imageOf, key, keysOf, release, trustFileOf } from "../../../test-support/src/rotation-world.js";

export const { A, B, C, D } = keysOf("A", "B", "C", "D");

export const roots = ["R1", "R2", "R3"].map(key);

export const K: PrivateKey = withKid(key("K"), Uint8Array.of(0xab, 0xcd, 0xef)) as PrivateKey;

export const cohort = { vendor: "example.com", class: "board-v2", trust: "t1.trust" };

export const header = "name,devices,trust,vendor,class,floor";

export const row = (name: string, more: object = {}) => {
  const all: { [name: string]: unknown } = { name, devices: 10, ...cohort, floor: 10, ...more };
  return header.split(",").map((member) => all[member] ?? "");
};

export const csv = (...rows: unknown[][]) => `${[header, ...rows.map((cells) => cells.join(","))].join("\n")}\n`;

/** fleet.csv, t1.trust, t2.trust, kid.trust, the public keys, and bridges/: an archive. */
export async function fleetPlace(): Promise<Place> {
  const p = new Place();
  const T1 = await trustFileOf(1, { releases: [A, B], roots });
  const T2 = await trustFileOf(2, { releases: [A, B, C], roots }, T1);
  const facts = { class: "board-v2", image: imageOf("app") } as const;
  p.put("t1.trust", T1);
  p.put("t2.trust", T2);
  p.put("kid.trust", await trustFileOf(1, { releases: [A, B, K], roots }));
  for (const [name, k] of Object.entries({ A, B, C, D })) p.put(`${name}.jwk`, JSON.stringify(toJwk(publicOf(k))));
  p.folder("bridges");
  p.put("bridges/b20.suit", await release({ ...facts, sequence: 20, keys: [A, B], trust: T2 }));
  p.put("bridges/r21.suit", await release({ ...facts, sequence: 21, keys: [B, C] }));
  p.put("r11.suit", await release({ ...facts, sequence: 11, keys: [A, B] }));
  p.put("fleet.csv", csv(row("one"), row("two", { floor: 11 }), row("new", { trust: "t2.trust", floor: 20 }), row("far", { floor: 30 })));
  return p;
}

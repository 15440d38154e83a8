// Descriptions, fleets, trust files and approvals that are expensive to read.

import { signer, signTrustWithoutLog, TrustDraft } from "@firmseal/signer";
import { encodeCbor as cbor, type Encodable, Tagged } from "../../../../../signer/src/cbor.js";
import { FACTS, keyA } from "../../../../../test-support/src/command-line/run.js";
import type { Row } from "../budget.js";
import { repeat } from "../budget-inputs.js";
import { fleetCsv, REFUSED, trustFile } from "./common.js";

/** A trust file with a key that is as long as is asked for, of an algorithm that nobody knows. */
async function longTrust(n: number): Promise<Uint8Array> {
  const anchor = (alg: number, key: Uint8Array, role: number) =>
    new Map<Encodable, Encodable>(Object.entries({ 1: alg, 2: key, 3: [role] }).map(([k, v]) => [Number(k), v]));
  const payload = cbor(
    new Map<Encodable, Encodable>([
      [1, 1],
      [2, 1],
      [3, [anchor(-19, keyA.key, 1), anchor(-999, new Uint8Array(n), 2)]],
      [
        4,
        new Map([
          [1, 1],
          [2, 1],
        ]),
      ],
      [5, "x"],
    ]),
  );
  return signTrustWithoutLog(cbor(new Tagged(98, [new Uint8Array(), new Map(), payload, []])), [signer(keyA)]);
}

/** A command on a trust file. */
const onTrust = (name: string, args: readonly string[], exit: readonly number[]): Row => ({
  name,
  units: 16_000,
  long: 16_000,
  exit,
  async args(place, n, tag) {
    place.put(`${tag}.trust`, await longTrust(n));
    return args.map((arg) => arg.replace("{}", tag));
  },
});

/** A trust file whose 8 signatures are by nobody. */
async function forgedTrust(): Promise<Uint8Array> {
  const file = TrustDraft.read(await longTrust(32));
  const [one] = file.encoded as [Uint8Array];
  return file.withEncoded(repeat(8, (i) => Uint8Array.from([...one.subarray(0, -1), i]))).bytes;
}

/** An approval file of as many bytes as are asked for. */
const onApproval = (name: string, units: number, make: (n: number) => Uint8Array): Row => ({
  name,
  units,
  long: 65_536 / 4,
  exit: REFUSED,
  args(place, n, tag) {
    place.put(`${tag}.approval`, make(n));
    const facts = ["--key", "A.pem", ...FACTS, "--seq", "5", "--out", `${tag}.suit`];
    return ["sign", "fw.bin", ...facts, "--approver", "B.jwk", "--approval", `${tag}.approval`];
  },
});

/** A plan for a fleet file. */
const onFleet = (name: string, units: number, ending: string, make: (n: number) => string): Row => ({
  name,
  units,
  exit: [0, 1],
  async args(place, n, tag) {
    await trustFile(place);
    place.put(`${tag}.${ending}`, make(n));
    if (!place.has("r.suit"))
      await place.ok(["sign", "fw.bin", "--key", "A.pem", ...FACTS, "--seq", "5", "--allow-sequence-reuse", "--out", "r.suit"]);
    return ["rotate", "plan", "--fleet", `${tag}.${ending}`, "--release", "r.suit", "--json"];
  },
});

/** A command on a file that is JSON. */
function onJson(name: string, units: number, make: (n: number) => unknown, more: Partial<Row> = {}, command = ["create", "--from"]): Row {
  return {
    name,
    units,
    exit: REFUSED,
    args(place, n, tag) {
      const value = make(n);
      place.put(`${tag}.json`, typeof value === "string" ? value : JSON.stringify(value));
      return [...command, `${tag}.json`, ...(command[0] === "create" ? ["--out", `${tag}.out.suit`] : [])];
    },
    ...more,
  };
}

const ours = (more: object) => ({ $schema: "urn:firmseal:manifest:1", sequence: 1, components: [["a"]], ...more });

const old = (more: object) => ({ "manifest-version": 1, "manifest-sequence-number": 1, components: [{ "install-id": ["00"] }], ...more });

export const DESCRIPTIONS: Row[] = [
  onJson("create: brackets", 200_000, (n) => "[".repeat(n)),
  onJson("create: sequences in sequences", 10, (n) => {
    let command: unknown = "condition-abort";
    for (let i = 0; i < n; i++) command = { "directive-run-sequence": [command] };
    return ours({ install: [command] });
  }),
  onJson("create: sequences in sequences, with a fault at the bottom", 10, (n) => {
    let command: unknown = { x: 1 };
    for (let i = 0; i < n; i++) command = { "directive-try-each": [[command], [command]].slice(0, i < 4 ? 2 : 1) };
    return ours({ install: [command] });
  }),
  onJson("create: commands", 4_000, (n) => ours({ install: repeat(n, () => "condition-abort") }), { exit: [0, 1] }),
  onJson("create: payloads that nothing names", 2_000, (n) => ours({ payloads: Object.fromEntries(repeat(n, (i) => [`#${i}`, "a"])) })),
  onJson("create: components of the old tool", 3_000, (n) =>
    old({ components: repeat(n, (i) => ({ "install-id": [i.toString(16).padStart(8, "0")] })) }),
  ),
  onJson("create: alternatives of the old tool", 1_000, (n) =>
    old({ components: repeat(n, (i) => ({ "install-id": ["00"], slot: i, uri: `http://x/${i}`, "vendor-id": String(i) })) }),
  ),
  onJson(
    "create: texts of the old tool",
    10_000,
    (n) => old({ description: { en: Object.fromEntries(repeat(n, (i) => [`t${i}`, "a"])) } }),
    {
      exit: [0, 1],
    },
  ),
  onJson(
    "trust create: anchors",
    4_000,
    (n) => ({
      $schema: "urn:firmseal:trust:1",
      name: "x",
      sequence: 1,
      anchors: repeat(n, () => ({ key: "A.jwk", roles: ["release"] })),
      thresholds: { root: 1 },
    }),
    {},
    ["trust", "create", "--from"],
  ),
  onTrust("trust export --format h: a long key", ["trust", "export", "{}.trust", "--format", "h", "--out", "-"], [0]),
  onTrust("trust show: a long key", ["trust", "show", "{}.trust"], [0]),
  onTrust("trust merge: a long key", ["trust", "merge", "{}.trust", "{}.trust", "--out", "{}.merged.trust"], [0, 1]),
  {
    name: "trust merge: copies with signatures by nobody",
    units: 4,
    exit: [0, 1],
    async args(place, n, tag) {
      const forged = await forgedTrust();
      const copies = repeat(n, (i) => place.put(`${tag}-${i}.trust`, forged));
      return ["trust", "merge", ...copies, "--out", `${tag}.merged.trust`];
    },
  },
  onApproval("sign: an approval that is none", 16_000, (n) => new Uint8Array(n)),
  onApproval("sign: an approval of arrays in arrays", 16_000, (n) => Uint8Array.from([0xd2, 0x84, ...repeat(n, () => 0x81), 0])),
  onApproval("sign: an approval that is one long text", 16_000, (n) =>
    cbor(new Tagged(18, [new Uint8Array(n / 2), new Map(), "x".repeat(n / 3), new Uint8Array(64)])),
  ),
  onFleet("rotate plan: cohorts in one state", 5_000, "csv", (n) => fleetCsv(n, (i) => `c${i},b,${i % 7}`)),
  onFleet("rotate plan: cohorts in JSON", 5_000, "json", (n) =>
    JSON.stringify({
      cohorts: repeat(n, (i) => ({ name: `c${i}`, devices: 1, trust: "t.trust", vendor: "example.com", class: "b", floor: i })),
    }),
  ),
  onFleet("rotate plan: states", 200, "csv", (n) => fleetCsv(n, (i) => `c${i},b${i},1`)),
  {
    name: "rotate next: states",
    units: 100,
    exit: [0],
    async args(place, n, tag) {
      await trustFile(place);
      place.put(
        `${tag}.csv`,
        fleetCsv(n, (i) => `c${i},b${i},1`),
      );
      place.folder("archive");
      for (const seq of ["2", "3", "4", "5"])
        if (!place.has(`archive/${seq}.suit`))
          await place.ok([
            "sign",
            "fw.bin",
            "--key",
            "A.pem",
            ...FACTS,
            "--seq",
            seq,
            "--allow-sequence-reuse",
            "--out",
            `archive/${seq}.suit`,
          ]);
      return ["rotate", "next", "--fleet", `${tag}.csv`, "--archive", "archive", "--json"];
    },
  },
  onFleet("rotate plan: more kinds of device than are planned for", 2_000, "csv", (n) => fleetCsv(n, (i) => `c${i},b${i},1`)),
  onFleet("rotate plan: a long cell", 1_000_000, "csv", (n) => fleetCsv(1, () => `${"x".repeat(n)},b,1`)),
  onFleet("rotate plan: a quotation without an end", 1_000_000, "csv", (n) => fleetCsv(1, () => `"${"\n".repeat(n)}`)),
  onFleet("rotate plan: a long line", 1_000_000, "jsonl", (n) => `{"name":"${"x".repeat(n)}"}\n`),
  onFleet("rotate plan: empty lines", 500_000, "jsonl", (n) => "\n".repeat(n)),
];

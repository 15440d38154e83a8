// The rows of the table, by what the input is. Each begins with what a review found, or a sibling of it.

import { truncateSync } from "node:fs";
import { signer, signTrust, TrustDraft } from "@firmseal/signer";
import { type Device, macAttester, status } from "@firmseal/verifier";
import { memoryDevice } from "@firmseal/verifier/device/memory";
import { encodeCbor as cbor, type Encodable, Tagged } from "../../signer/src/cbor.js";
import { FAMILY_PRESENT, uf2Block } from "../../test-support/src/image-writers.js";
import { FACTS, keyA, type Place } from "../../test-support/src/run.js";
import type { Row } from "./budget.js";
import { type Commands, envelope, longRun, parameters, repeat, sequence, uuid } from "./budget-inputs.js";

const REFUSED = [1];

/** A command on an envelope. `{}` in the arguments is its file. */
function onEnvelope(
  name: string,
  units: number,
  make: (n: number) => Promise<Uint8Array>,
  args: readonly string[],
  more: Partial<Row> = {},
): Row {
  return {
    name,
    units,
    exit: REFUSED,
    async args(place, n, tag) {
      place.put(`${tag}.suit`, await make(n));
      return args.map((arg) => arg.replace("{}", tag));
    },
    ...more,
  };
}

const identities = (n: number): Commands => [...repeat(n, (i) => parameters([1, uuid(i)])), ...repeat(n, (i) => parameters([2, uuid(i)]))];

const indices = (n: number): Promise<Uint8Array> =>
  envelope({
    components: [[Uint8Array.of(0)], [Uint8Array.of(1)]],
    sections: [
      [
        20,
        sequence([
          [12, repeat(n, (i) => i)],
          [14, 0],
        ]),
      ],
    ],
  });

const commands = (n: number): Promise<Uint8Array> => envelope({ sections: [[20, sequence(repeat(n, () => [14, 0] as const))]] });

const alternatives = (n: number): Promise<Uint8Array> => {
  const one = sequence([[14, 0]]);
  return envelope({ sections: [[20, sequence([[15, repeat(n, () => one)]])]] });
};

/** Alternatives for different classes: each is compared with those before it. */
const classAlternatives = (n: number): Promise<Uint8Array> => {
  const one = (i: number) => sequence([parameters([2, uuid(i % 64)]), [2, 15]]);
  return envelope({ sections: [[20, sequence([[15, repeat(n, one)]])]] });
};

const uris = (n: number): Promise<Uint8Array> =>
  envelope(
    {
      shared: sequence([parameters([3, cbor([-44, new Uint8Array(64)])])]),
      sections: [[20, sequence(repeat(n, (i) => [parameters([21, `http://x/${i}`]), [21, 2] as const]).flat())]],
    },
    1,
  );

const withPayload = (n: number): Promise<Uint8Array> =>
  envelope({ sections: [[20, sequence([parameters([21, "#p"]), [21, 2]])]], payloads: [["#p", new Uint8Array(n)]] }, 1);

const texts = (n: number): Promise<Uint8Array> =>
  envelope({ text: cbor(new Map<Encodable, Encodable>(repeat(n, (i) => [`x-${i}`, new Map([[1, "a"]])]))) });

const sign = () => ["sign", "{}.suit", "--key", "A.pem", "--out", "{}.out", "--allow-sequence-reuse"];
const tbs = ["tbs", "{}.suit", "--key", "A.jwk", "--out", "{}.tbs"];
const inspect = ["inspect", "{}.suit"];

export const ENVELOPES: Row[] = [
  onEnvelope("sign: kinds of device times the commands of each", 8, longRun, sign()),
  onEnvelope("verify: kinds of device times the commands of each", 8, (n) => longRun(n, 1), ["verify", "{}.suit", "--key", "A.jwk"]),
  onEnvelope("tbs: kinds of device times the commands of each", 8, longRun, tbs),
  ...[inspect, ["whosigned", "{}.suit", "--key", "A.jwk"], sign(), tbs].map((args) =>
    onEnvelope(`${args[0]}: a list of component indices`, 20_000, indices, args),
  ),
  ...[inspect, [...inspect, "--json"], [...inspect, "--diag"], sign()].map((args) =>
    onEnvelope(`${args.join(" ").replace("{}.suit ", "")}: commands`, 10_000, commands, args, { exit: [0, 1] }),
  ),
  ...[inspect, sign()].map((args) => onEnvelope(`${args[0]}: alternatives`, 5_000, alternatives, args, { exit: [0, 1] })),
  ...[inspect, sign()].map((args) =>
    onEnvelope(`${args[0]}: identities`, 1_000, (n) => envelope({ shared: sequence(identities(n)) }), args, { exit: [0, 1] }),
  ),
  onEnvelope("lint: alternatives", 5_000, alternatives, ["lint", "{}.suit"]),
  onEnvelope("lint: alternatives with conditions", 1_000, classAlternatives, ["lint", "{}.suit"]),
  onEnvelope("inspect: languages", 4_000, texts, inspect, { exit: [0, 1] }),
  onEnvelope("simulate: sizes", 20_000, (n) => envelope({ shared: sequence(repeat(n, (i) => parameters([14, i]))) }, 1), [
    "simulate",
    "{}.suit",
    "--key",
    "A.jwk",
    "--device",
    "memory",
  ]),
  onEnvelope("verify --payload: a file for many addresses", 200, uris, ["verify", "{}.suit", "--key", "A.jwk", "--payload", "fw.bin"]),
  {
    name: "verify --trust: vendors times classes",
    units: 1_000,
    exit: REFUSED,
    async args(place, n, tag) {
      place.put(`${tag}.suit`, await envelope({ shared: sequence(identities(n)) }));
      await trustFile(place);
      return ["verify", `${tag}.suit`, "--trust", "t.trust", "--root", "B.jwk"];
    },
  },
  ...[inspect, ["verify", "{}.suit", "--key", "A.jwk"], sign(), tbs, ["approve", "{}.suit", "--key", "C.pem"]].map((args) =>
    onEnvelope(`${args[0]}: a payload`, 2_000_000, withPayload, args, { exit: [0, 1], long: 64_000_000, megabytes: 4 * 257 + 100 }),
  ),
  {
    name: "inspect --diag: a payload",
    units: 4_000_000,
    long: 15_000_000,
    exit: [0],
    async args(place, n, tag) {
      place.put(`${tag}.suit`, await withPayload(n));
      return ["inspect", `${tag}.suit`, "--diag"];
    },
  },
];

async function trustFile(place: Place): Promise<void> {
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
  return signTrust(cbor(new Tagged(98, [new Uint8Array(), new Map(), payload, []])), [signer(keyA)]);
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

const serial = (i: number) => `serial-${i}`;
const kidOf = (i: number) => new TextEncoder().encode(serial(i));
const statusSecret = (i: number) => Uint8Array.from({ length: 32 }, (_, k) => (k < 4 ? i >> (8 * k) : k) & 255);
const statusNonce = (i: number) => Uint8Array.from({ length: 16 }, (_, k) => (k < 4 ? i >> (8 * k) : k) & 255);
const jsonLines = (n: number, make: (i: number) => object) => repeat(n, (i) => `${JSON.stringify(make(i))}\n`).join("");

/** What a device with keys in its firmware answers. */
function statusOf(i: number): Uint8Array {
  const device = memoryDevice({ vendor: [], class: [] }, [], 0);
  return Uint8Array.from(status(statusNonce(i), device as Device, null, null, macAttester(statusSecret(i), kidOf(i))));
}

const statusLine = (bytes: Uint8Array) => ({ status: Buffer.from(bytes).toString("base64") });

/** Collects answers for a fleet of `n` devices, or of `devices`. */
const onStatuses = (name: string, units: number, answers: (n: number) => string, more: Partial<Row> = {}, devices?: number): Row => ({
  name,
  units,
  exit: [0, 1],
  args(place, n, tag) {
    const all = devices ?? n;
    const row = (i: number) => ({ name: serial(i), vendor: "example.com", class: "b", floor: 0, keys: ["A.jwk"] });
    const secret = (i: number) => ({ kty: "oct", kid: serial(i), k: Buffer.from(statusSecret(i)).toString("base64url") });
    const nonce = (i: number) => ({ device: serial(i), nonce: Buffer.from(statusNonce(i)).toString("hex"), sent: "2026-01-01T00:00:00Z" });
    place.put(`${tag}.jsonl`, jsonLines(all, row));
    place.put(`${tag}.sent`, jsonLines(all, nonce));
    place.put(`${tag}.jwks`, JSON.stringify({ keys: repeat(all, secret) }));
    place.put(`${tag}.answers`, answers(n));
    const keys = ["--nonces", `${tag}.sent`, "--secret", `${tag}.jwks`];
    return ["status", "collect", `${tag}.answers`, ...keys, "--fleet", `${tag}.jsonl`, "--out", `${tag}.new.jsonl`, "--json"];
  },
  ...more,
});

/** An array in an array, and so on, in place of the claims. */
const nested = (n: number) => Uint8Array.from([0xd1, 0x84, ...repeat(n, () => 0x81), 0]);

export const STATUSES: Row[] = [
  onStatuses("status collect: devices", 500, (n) => jsonLines(n, (i) => statusLine(statusOf(i)))),
  onStatuses("status collect: a device that answers again and again", 1_000, (n) => jsonLines(n, () => statusLine(statusOf(1))), {}, 3),
  onStatuses("status collect: statuses by nobody", 2_000, (n) => jsonLines(n, (i) => statusLine(statusOf(i + 5))), {}, 3),
  onStatuses("status collect: statuses that are none", 10_000, (n) => jsonLines(n, () => ({ status: "*" })), {}, 3),
  onStatuses("status collect: arrays in arrays", 5_000, (n) => jsonLines(1, () => statusLine(nested(n))), { long: 8_000 }, 3),
  onStatuses("status collect: empty lines", 500_000, (n) => "\n".repeat(n), {}, 3),
  onStatuses("status collect: a long line", 1_000_000, (n) => `{"status":"${"A".repeat(n)}"}\n`, {}, 3),
  onStatuses("status collect: brackets", 10_000, (n) => `${"[".repeat(n)}\n`, { long: 12_000 }, 3),
  {
    name: "status ask: devices",
    units: 5_000,
    exit: [0],
    async args(place, n, tag) {
      await trustFile(place);
      place.put(
        `${tag}.csv`,
        fleetCsv(n, (i) => `c${i},b,1`),
      );
      return ["status", "ask", "--fleet", `${tag}.csv`, "--out", "-", "--json"];
    },
  },
];

const fleetCsv = (n: number, row: (i: number) => string) =>
  `name,class,floor,trust,vendor\n${repeat(n, (i) => `${row(i)},t.trust,example.com\n`).join("")}`;

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

function elf(segments: number, sections: number): Uint8Array {
  const out = Buffer.alloc(52 + 32 * segments + 40 * sections + 64);
  out.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  out.writeUInt16LE(2, 16);
  out.writeUInt32LE(1, 20);
  out.writeUInt32LE(52, 28);
  out.writeUInt32LE(52 + 32 * segments, 32);
  for (const [at, value] of [
    [40, 52],
    [42, 32],
    [44, segments],
    [46, 40],
    [48, sections],
  ] as const)
    out.writeUInt16LE(value, at);
  for (let i = 0; i < segments; i++) {
    const at = 52 + 32 * i;
    // one byte each, inside of the header, each at an address of its own
    for (const [k, value] of [
      [0, 1],
      [4, 0],
      [8, i],
      [12, i],
      [16, 1],
      [20, 1],
    ] as const)
      out.writeUInt32LE(value, at + k);
  }
  for (let i = 0; i < sections; i++) {
    const at = 52 + 32 * segments + 40 * i;
    for (const [k, value] of [
      [4, 1],
      [8, 2],
      [16, out.length - 64],
      [20, 1],
    ] as const)
      out.writeUInt32LE(value, at + k);
  }
  return out;
}

function onImage(name: string, units: number, ending: string, make: (n: number) => Uint8Array | string, more: Partial<Row> = {}): Row {
  return {
    name,
    units,
    exit: REFUSED,
    args(place, n, tag) {
      const file = place.put(`${tag}.${ending}`, make(n));
      return ["tbs", file, "--key", "A.jwk", ...FACTS, "--seq", "1", "--out", `${tag}.tbs`, "--envelope", `${tag}.suit`];
    },
    ...more,
  };
}

const hexLine = (address: number): string => {
  const bytes = [1, (address >> 8) & 255, address & 255, 0, 0x55];
  return `:${[...bytes, -bytes.reduce((a, b) => a + b, 0) & 255].map((b) => b.toString(16).padStart(2, "0")).join("")}\n`;
};

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
  onProduct("release: references to keys", 20_000, (n) => `${PRODUCT}[keys]\nrelease = [ ${repeat(n, () => '"A.pem"').join(", ")} ]\n`),
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

export const IMAGES: Row[] = [
  onImage("ELF: segments times sections", 1_500, "elf", (n) => elf(n, n)),
  onImage("ELF: as many headers as there can be", 15_000, "elf", (n) => elf(n, 0), { long: 15_000 }),
  onImage("UF2: a family for each block", 4_000, "uf2", (n) =>
    Buffer.concat(
      repeat(n, (i) =>
        uf2Block({ flags: FAMILY_PRESENT, address: 256 * i, number: i, total: n, family: i + 1, data: new Uint8Array(256) }),
      ),
    ),
  ),
  onImage(
    "Intel HEX: a stretch for each line",
    2_000,
    "hex",
    (n) => `${repeat(n, (i) => hexLine((2 * i) & 0xffff)).join("")}:00000001ff\n`,
    { exit: [0, 1] },
  ),
  onImage("Intel HEX: empty lines", 1_000_000, "hex", (n) => `${hexLine(0)}${"\n".repeat(n)}`),
  onImage("Intel HEX: one long line", 1_000_000, "hex", (n) => `:${"0".repeat(n)}`),
  {
    name: "an image that is larger than any",
    units: 2 ** 29,
    long: 2 ** 29,
    exit: [1, 2],
    args(place, n, tag) {
      const file = place.put(`${tag}.elf`, elf(1, 1));
      truncateSync(place.at(file), n);
      return ["tbs", file, "--key", "A.jwk", ...FACTS, "--seq", "1", "--out", `${tag}.tbs`, "--envelope", `${tag}.suit`];
    },
  },
];

function onKey(name: string, units: number, make: (n: number) => string | Uint8Array, more: Partial<Row> = {}): Row {
  return {
    name,
    units,
    exit: [2],
    args(place, n, tag) {
      place.put(`${tag}.key`, make(n));
      return ["pubkey", `${tag}.key`];
    },
    ...more,
  };
}

export const KEYS: Row[] = [
  {
    name: "PEM: newlines behind it",
    units: 14_000,
    exit: [0],
    args(place, n, tag) {
      place.put(`${tag}.key`, `${place.get("A.pem")}${"\n".repeat(n)}`);
      return ["pubkey", `${tag}.key`];
    },
  },
  {
    name: "PEM: blanks behind it",
    units: 14_000,
    exit: [0, 2],
    args(place, n, tag) {
      place.put(`${tag}.key`, `${place.get("A.pem")}${" ".repeat(n)}x`);
      return ["pubkey", `${tag}.key`];
    },
  },
  {
    name: "PEM: text that looks like a key behind it",
    units: 14_000,
    exit: [0, 2],
    args(place, n, tag) {
      place.put(`${tag}.key`, `${place.get("A.pem")}${"\nssh-".repeat(n / 5)}`);
      return ["pubkey", `${tag}.key`];
    },
  },
  onKey("PEM: beginnings", 900, (n) => "-----BEGIN A-----".repeat(n)),
  onKey("PEM: one beginning and a long label", 14_000, (n) => `-----BEGIN ${"A ".repeat(n / 2)}`),
  onKey("PEM: newlines inside", 14_000, (n) => `-----BEGIN PRIVATE KEY-----${"\n".repeat(n)}-----END PRIVATE KEY-----`),
  onKey("OpenSSH: blanks", 14_000, (n) => `ssh-ed25519${" ".repeat(n)}AAAA`),
  onKey("OpenSSH: lines", 800, (n) => "ssh-ed25519 AAAA\n".repeat(n)),
  onKey("minisign: lines", 14_000, (n) => `untrusted comment: x${"\n".repeat(n)}x`),
  onKey("JWK: brackets", 14_000, (n) => "[".repeat(n)),
  onKey("JWK: members", 1_400, (n) => JSON.stringify({ kty: "OKP", ...Object.fromEntries(repeat(n, (i) => [`a${i}`, i])) })),
  onKey("COSE_Key: labels", 2_000, (n) => cbor(new Map<Encodable, Encodable>(repeat(n, (i) => [1000 + i, 0])))),
  onKey("text: blanks", 14_000, (n) => `${" ".repeat(n)}x`),
  onKey("base64", 14_000, (n) => "A".repeat(n)),
  {
    name: "a signature in hex",
    units: 8_000,
    exit: REFUSED,
    async args(place, n, tag) {
      place.put(`${tag}.suit`, await envelope({ sections: [[20, sequence([[14, 0]])]] }));
      place.put(`${tag}.sig`, `${"0".repeat(n)} \n`);
      return ["attach", `${tag}.suit`, "--key", "A.jwk", "--signature", `${tag}.sig`];
    },
  },
];

const entry = (n: number, more: object = {}) =>
  `${JSON.stringify({ v: 1, n, time: "t", user: "u", host: "h", operation: "sign", ...more, prev: "0".repeat(64), hash: "0".repeat(64) })}\n`;

function onLog(name: string, units: number, make: (n: number) => string, more: Partial<Row> = {}): Row {
  return {
    name,
    units,
    exit: REFUSED,
    args(place, n, tag) {
      place.put(`${tag}.log`, make(n));
      return ["audit", `${tag}.log`];
    },
    ...more,
  };
}

export const LOGS: Row[] = [
  onLog("audit: lines that are none", 50_000, (n) => `${entry(1)}${"x\n".repeat(n)}`),
  onLog("audit: entries that do not follow", 3_000, (n) => repeat(n, (i) => entry(i + 5)).join("")),
  onLog("audit: a key for each entry", 2_000, (n) => repeat(n, (i) => entry(i + 1, { key: i.toString(16).padStart(64, "0") })).join("")),
  onLog("audit --json: entries", 2_000, (n) => repeat(n, (i) => entry(i + 1, { scope: repeat(50, () => "") })).join("")),
  onLog("audit: one long line", 1_000_000, (n) => `${entry(1)}${"x".repeat(n)}\n`),
];

const without = (name: string, args: readonly string[], exit: readonly number[] = [1, 2, 3]): Row => ({
  name,
  units: 1,
  exit,
  args: () => args,
});

export const STDIN: Row[] = [
  without("inspect", ["inspect", "-"]),
  without("verify", ["verify", "-", "--key", "A.jwk"]),
  without("whosigned", ["whosigned", "-", "--key", "A.jwk"]),
  without("sign an image", ["sign", "-", "--key", "A.pem", ...FACTS, "--seq", "1", "--out", "o.suit"]),
  without("sign an image that stays outside", [
    "sign",
    "-",
    "--key",
    "A.pem",
    ...FACTS,
    "--seq",
    "1",
    "--uri",
    "http://x/y",
    "--out",
    "o.suit",
  ]),
  without("tbs", ["tbs", "-", "--key", "A.jwk", "--envelope", "e.suit", "--out", "x.tbs"]),
  without("create", ["create", "--from", "-", "--out", "o.suit"]),
  without("attach an envelope", ["attach", "-", "--key", "A.jwk", "--signature", "fw.bin", "--out", "o.suit"]),
  {
    ...without("attach a signature", []),
    async args(place) {
      place.put("fw.suit", await envelope({ sections: [[20, sequence([[14, 0]])]] }));
      return ["attach", "fw.suit", "--key", "A.jwk", "--signature", "-"];
    },
  },
  without("install", ["install", "-", "--key", "A.jwk", "--device", "d", ...FACTS]),
  without("simulate", ["simulate", "-", "--key", "A.jwk", "--device", "memory"]),
  without("pubkey", ["pubkey", "-"]),
  without("trust create", ["trust", "create", "--from", "-"]),
  without("trust show", ["trust", "show", "-"]),
  without("rotate plan", ["rotate", "plan", "--fleet", "-", "--release", "fw.bin"]),
  {
    ...without("rotate plan, a step", []),
    async args(place) {
      await trustFile(place);
      place.put(
        "f.csv",
        fleetCsv(1, () => "c,b,1"),
      );
      return ["rotate", "plan", "--fleet", "f.csv", "--release", "-"];
    },
  },
];

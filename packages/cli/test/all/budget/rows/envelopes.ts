// Envelopes that are expensive to read.

import { encodeCbor as cbor, type Encodable } from "../../../../../signer/src/cbor.js";
import type { Row } from "../budget.js";
import { type Commands, envelope, longRun, parameters, repeat, sequence, uuid } from "../budget-inputs.js";
import { inspect, REFUSED, tbs, trustFile } from "./common.js";

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

/** Envelopes that devices refuse, and that inspect shows all the same: keys in the wrong order, and other shapes. */
const unordered = (inside: Encodable): Promise<Uint8Array> =>
  Promise.resolve(
    cbor(
      new Map<Encodable, Encodable>([
        [3, cbor(inside)],
        ["x", 0],
      ]),
    ),
  );
const unorderedItems = (n: number) => unordered(repeat(n, (i) => i));
const unorderedKeys = (n: number) => unordered(new Map(repeat(n, (i) => [i, `${i}`])));
const signatures = (n: number) =>
  Promise.resolve(
    cbor(
      new Map<Encodable, Encodable>([
        [2, cbor(repeat(n, () => [cbor(new Map([[1, -8]])), new Map(), cbor([2, new Uint8Array(32)]), new Uint8Array(64)]))],
        [
          3,
          cbor(
            new Map([
              [1, 1],
              [10, 0],
            ]),
          ),
        ],
      ]),
    ),
  );
/** Run-sequence in run-sequence: each level is a byte string in a byte string. */
function nested(n: number): Promise<Uint8Array> {
  let one = cbor([3, 15]);
  for (let i = 0; i < n; i++) one = cbor([32, one]);
  return unordered(new Map([[20, one]]));
}

const sign = () => ["sign", "{}.suit", "--key", "A.pem", "--out", "{}.out", "--allow-sequence-reuse"];

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
  ...[inspect, [...inspect, "--json"], [...inspect, "--diag"]].flatMap((args) => {
    const name = args.join(" ").replace("{}.suit", "refused").replace("inspect refused", "inspect, refused");
    return [
      onEnvelope(`${name}: items`, 15_000, unorderedItems, args),
      onEnvelope(`${name}: keys`, 7_000, unorderedKeys, args),
      onEnvelope(`${name}: nested sequences`, 500, nested, args),
    ];
  }),
  onEnvelope("whosigned: signatures of an old draft", 1_000, signatures, ["whosigned", "{}.suit", "--key", "A.jwk"]),
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

// The general verifier against the micro verifier, with one envelope, one policy, and a device each. An input is the
// policy, how it is read, and either changes of a release (patch.ts) or a release in the loose form (loose.ts), which
// is signed again. What the micro verifier accepts, the general one accepts, with the same effects; what has the form
// of its template, both accept or both refuse; and what either refuses has changed nothing.

import { boot, install, open, type Trust } from "@firmseal/verifier";
import * as micro from "@firmseal/verifier/micro";
import { fromHex, templateFault } from "@firmseal/verifier/tools";
import { readMicroVectors } from "../../test-vectors/index.mjs";
import { deviceOf, drive } from "../../test-vectors/play/play.js";
import { Choices } from "../common/bits.js";
import { patched, patches } from "../common/patch.js";
import { sealedLoose } from "../common/seal.js";
import { host, looseOf, trust } from "../common/vectors.js";
import { asSource, Finding, refusal, type Target } from "../common/verdict.js";

const vectors = readMicroVectors().filter((v) => v.envelope && v.envelope.length < 3000);
const envelopes = [...new Set(vectors.map((v) => v.envelope as string))].map(fromHex);
/** Devices of the vectors, whose payloads arrive as they say. */
const devices = [...new Set(vectors.map((v) => JSON.stringify(v.device ?? {})))].map((text) => JSON.parse(text));
/** COSE_Mac0, which is not a signature. */
const KEYS = trust.anchors.slice(0, 3);

type Verifier = Pick<typeof micro, "open" | "install" | "boot">;
const general: Verifier = { open, install, boot } as never;

const LIMITS = [undefined, [0, 0], [0, 7], [0, 8], [1, 0]] as const;

function trustFrom(c: Choices): Trust {
  const which = c.byte();
  const [since, until, floor] = [c.one(LIMITS), c.one(LIMITS), c.one(LIMITS)];
  const threshold = c.one([undefined, 1, 2, 0, 3]);
  const anchors = KEYS.filter((_, i) => !((which >> i) & 1)).map((key) => ({ ...key, ...(since && { since }), ...(until && { until }) }));
  return { anchors, ...(floor && { floor }), ...(threshold !== undefined && { threshold }) } as Trust;
}

/** What follows an envelope or a release: `policy` from trustFrom(), then device, boot, Source, way. */
const tail = (way: number, policy: number[] = [0, 0, 0, 0, 0]) => Uint8Array.from([way, 0, 0, 0, ...[...policy].reverse()]);

export const seeds = () => [
  ...envelopes.flatMap((envelope, i) => [
    Buffer.concat([looseOf(envelope), tail(1)]),
    Uint8Array.of(i, ...tail(0)),
    Uint8Array.of(i, ...tail(0, [6, 0, 0, 0, 2])),
    Uint8Array.of(i, ...tail(0, [4, 0, 2, 3, 1])),
  ]),
];

/** What is left of an attempt: the number of the refusal, and the device. */
function attempt(by: Verifier, envelope: Uint8Array, whom: Trust, spec: object, boots: boolean, viaSource: boolean) {
  const device = deviceOf(spec);
  const state = () => JSON.stringify([device.parts.map((p) => [p.current, p.slots]), device.sequence, device.invoked.map(({ id }) => id)]);
  const before = state();
  const input = viaSource ? asSource(envelope) : envelope;
  const opened = refusal(() => by.open(input, whom, host));
  const code = refusal(() => drive(by[boots ? "boot" : "install"](input as never, whom, device, host), device.payloads && chunksOf(spec)));
  if (code !== 0 && state() !== before) throw new Finding(`refused with ${code}, and something has changed`);
  return { opened, code, after: state() };
}
const chunksOf = (spec: object) => (spec as { chunks?: { [uri: string]: string[] | false } }).chunks;

export const fuzz: Target = (input) => {
  const c = new Choices(input);
  const whom = trustFrom(c);
  const spec = c.one(devices);
  const [boots, viaSource, way] = [c.below(2) === 1, c.below(2) === 1, c.below(2)];
  const rest = c.rest();
  const envelope =
    way === 1 ? sealedLoose(rest) : patched(envelopes[(rest[0] ?? 0) % envelopes.length] as Uint8Array, patches(rest.subarray(1)));
  if (!envelope) return;
  const own = attempt(micro as Verifier, envelope, whom, spec, boots, viaSource);
  const other = attempt(general, envelope, whom, spec, boots, viaSource);
  if (own.opened === 0 && other.opened !== 0) throw new Finding(`micro opens what general refuses with ${other.opened}`);
  if (own.code === 0 && other.code !== 0) throw new Finding(`micro does what general refuses with ${other.code}`);
  if (own.code === 0 && own.after !== other.after) throw new Finding("other effects");
  if (other.opened !== 0 && other.code !== 0) return;
  // the form alone, and no signature
  let isTemplate = false;
  refusal(() => {
    isTemplate = templateFault(envelope, host) === null;
  });
  if (isTemplate && own.opened !== other.opened) throw new Finding(`micro refuses with ${own.opened} what general opens`);
};

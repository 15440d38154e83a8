// A fleet in memory for the tests of rotation: keys, trust files, releases, and devices that run the code that devices
// run.

import { createHash } from "node:crypto";
import {
  bridge,
  encode,
  encodeTrust,
  identityUuids,
  type PrivateKey,
  privateKey,
  signEnvelopeWithoutLog,
  signer,
  signTrustWithoutLog,
  singleImage,
  type TrustDescription,
  type TrustEntry,
} from "@firmseal/signer";
import { type Alg, boot, ed25519, type Host, type Identity, install, type Refusal, type TrustStore } from "@firmseal/verifier";
import { type MemoryDevice, memoryDevice } from "@firmseal/verifier/device/memory";
import {
  embeddedTrust,
  nextTrust,
  policyOf,
  ROLE_RELEASE,
  TRUST_COMPONENT,
  trustFileUnchecked,
  updatedTrust,
} from "@firmseal/verifier/tools";
import { latin1, remembered } from "../../simulator/src/simulation/remembered.js";
import { sha256Hex } from "./bytes.js";

const utf8 = new TextEncoder();

/** A key that is the same in each run; no list of published keys has it. */
export function key(label: string): PrivateKey {
  return privateKey("ed25519", new Uint8Array(createHash("sha256").update(`firmseal rotation test ${label}`).digest()));
}

/** The keys of several labels, by label. */
export function keysOf<const Label extends string>(...labels: Label[]): Record<Label, PrivateKey> {
  return Object.fromEntries(labels.map((label) => [label, key(label)])) as Record<Label, PrivateKey>;
}

/** 10,000 devices ask about the same few signatures. */
export const ALGS: Alg[] = [remembered(ed25519)];

const digests = new Map<string, Uint8Array>();

/** SHA-256, with its answers kept as well. */
function hashed(text: string): Uint8Array {
  let answer = digests.get(text);
  if (!answer) {
    answer = createHash("sha256").update(text, "latin1").digest();
    digests.set(text, answer);
  }
  return answer;
}

export const host: Host = {
  sha256: {
    create() {
      let text = "";
      return {
        update(b) {
          text += latin1(b);
        },
        digest: () => hashed(text),
      };
    },
    once: (b) => hashed(latin1(b)),
  },
};

export const CLASSES = ["board-v2", "board-v3"] as const;
export type ClassName = (typeof CLASSES)[number];
export const VENDOR = "example.com";

export function identity(name: string): Identity {
  const id = identityUuids(VENDOR, name);
  return { vendor: [id.vendor], class: [id.class] };
}

export interface Trusts {
  readonly releases: readonly PrivateKey[];
  readonly threshold?: number;
  readonly roots: readonly PrivateKey[];
  readonly rootNeed?: number;
  /** Who signs. Default: the roots. */
  readonly signers?: readonly PrivateKey[];
  /** For a release key, by its place: the highest sequence number that it counts for. */
  readonly until?: { readonly [place: number]: bigint };
}

/** A trust file of the line "board". `before`: what the roots of the file before may sign too. */
export async function trustFileOf(sequence: number, t: Trusts, before?: Uint8Array, name = "board"): Promise<Uint8Array> {
  const anchors: TrustEntry[] = [
    ...t.roots.map((k): TrustEntry => ({ key: k, roles: ["root"] })),
    ...t.releases.map((k, i): TrustEntry => ({ key: k, roles: ["release"], ...(t.until?.[i] !== undefined && { until: t.until[i] }) })),
  ];
  const thresholds = { root: t.rootNeed ?? 2, release: t.threshold ?? 2 };
  const d: TrustDescription = { name, sequence: BigInt(sequence), anchors, thresholds };
  return signTrustWithoutLog(encodeTrust(d), (t.signers ?? t.roots).map(signer), before && embeddedTrust(ALGS, before));
}

export const imageOf = (name: string) => utf8.encode(`image ${name} `.repeat(3));

export interface ReleaseFacts {
  readonly sequence: number | string;
  readonly class: ClassName;
  readonly keys: readonly PrivateKey[];
  readonly image: Uint8Array;
  /** The trust file that it carries. */
  readonly trust?: Uint8Array;
}

/** A release with its image inside, signed. */
export function release({ sequence, class: name, keys, image, trust }: ReleaseFacts): Promise<Uint8Array> {
  const facts = { sequence, vendor: VENDOR, class: name };
  const content = { digest: sha256Hex(image), size: image.length, uri: "#firmware", payload: image };
  const description = trust ? bridge({ ...facts, trust, image: content }) : singleImage({ ...facts, ...content });
  return signEnvelopeWithoutLog(encode(description), keys.map(signer));
}

/** Where the power fails. */
export type Cut = "writing" | "before keeping" | "none";

class PowerCut extends Error {}

/** A device: an A/B device in memory, and the trust file that it keeps apart. */
export class Device<Name extends string = ClassName> {
  readonly memory: MemoryDevice;
  /** Numbers of the refusals that it gave. */
  readonly refused: number[] = [];
  cuts = 0;
  started = 0;

  /** What the trust file says, as it was read at the last start. */
  store: TrustStore;

  constructor(
    readonly name: Name,
    /** The trust file; only the device writes here. */
    public kept: Uint8Array,
    /** Its identity, if that does not follow from its name, and the algorithms of its verifier. */
    who: Identity = identity(name),
    private readonly algs: Alg[] = ALGS,
  ) {
    // room for a chain of trust files
    this.memory = memoryDevice(who, [[[0]], TRUST_COMPONENT], 65_536);
    this.store = embeddedTrust(algs, kept);
  }

  /** Another device in the same state, so that devices with the same history share the work. */
  twin(): Device<Name> {
    const other = new Device(this.name, this.kept, this.memory.identity, this.algs);
    for (const [i, part] of this.memory.parts.entries())
      Object.assign(other.memory.parts[i] as object, { slots: part.slots.map((slot) => [...slot]), current: part.current });
    other.memory.sequence = this.memory.sequence;
    other.memory.counted = this.memory.counted;
    other.memory.envelope = this.memory.envelope;
    return other;
  }

  private attempt(work: () => unknown): boolean {
    try {
      work();
      return true;
    } catch (e) {
      const { code, cause } = e as Refusal;
      if (typeof code !== "number") throw e;
      if (cause instanceof PowerCut) this.cuts++;
      else this.refused.push(code);
      return false;
    }
  }

  /**
   * Offers a release, or in another role what the device's own code asks for. The device then starts again, as after a
   * power cut. Returns whether it was installed.
   */
  dryRun(envelope: Uint8Array, cut: Cut = "none", role = ROLE_RELEASE): boolean {
    const { write } = this.memory;
    if (cut === "writing")
      this.memory.write = (id, offset, bytes) => {
        write(id, offset, Array.from(bytes).slice(0, 7));
        throw new PowerCut();
      };
    const done = this.attempt(() => install(envelope, policyOf(this.store, role, this.memory.identity), this.memory, host).next());
    this.memory.write = write;
    if (done) this.start(cut === "before keeping");
    return done;
  }

  /** What a device does when it starts: the next trust file if there is one, then the image. */
  start(cut = false): void {
    const { envelope } = this.memory;
    if (!envelope) return;
    this.store = embeddedTrust(this.algs, this.kept);
    const role = this.role();
    const next = nextTrust(this.store, this.memory, envelope, role, host);
    if (next && cut) {
      // the power fails before the file is kept: all is as before, and the device starts again
      this.cuts++;
      this.start();
      return;
    }
    if (next) this.keep(Uint8Array.from(next));
    if (this.attempt(() => boot(envelope, policyOf(this.store, role, this.memory.identity), this.memory, host).next()))
      this.started = this.memory.invoked.length;
  }

  /** The role of what is installed: docs/guides/trust.md, "Starting in another role". */
  private role(): number {
    return (this.memory.counted ?? [])[28] || ROLE_RELEASE;
  }

  private keep(bytes: Uint8Array): void {
    this.kept = bytes;
    this.store = embeddedTrust(this.algs, bytes);
  }

  /** A trust file without a release. */
  offerTrust(bytes: Uint8Array): boolean {
    const { envelope } = this.memory;
    return this.attempt(() => {
      const { file } = envelope
        ? updatedTrust(this.store, bytes, envelope, this.role(), this.memory.identity, host)
        : trustFileUnchecked(this.algs, bytes, this.store, host);
      this.keep(Uint8Array.from(file as Uint8Array));
    });
  }

  /** The image that is current. */
  image(): string {
    const part = this.memory.parts[0];
    return Buffer.from(part?.slots[part.current] ?? []).toString("latin1");
  }
}

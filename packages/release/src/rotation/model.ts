// The devices of a fleet as plans know them: cohorts of equal devices, and a model of each kind.

import { type AlgName, BUNDLE_ALGS, BUNDLE_FEATURES, type FeatureName } from "@firmseal/bundler";
import { anchorOf, type KeyAlg, keyAlgs, type PublicKey } from "@firmseal/signer";
import type { Identity, Sequence, Trust, TrustStore } from "@firmseal/verifier";
import type { TrustOnFile } from "../trust/read.js";
import { deviceCode, rememberedStore } from "./device-code.js";

/** An algorithm that a device may verify: those of bundles, and those that only programs can verify. */
export type DeviceAlg = AlgName | KeyAlg;

/** general: the interpreter. micro: the one that accepts only the template firmseal-single-1. */
export type VerifierKind = "general" | "micro";

/** Release keys in the firmware, instead of a trust file. */
export interface EmbeddedKeys {
  readonly keys: readonly PublicKey[];
  readonly threshold: number;
}

/** The properties of devices, except their floors. Equal cohorts share one model. */
export interface DeviceModel {
  /** The trust file; null for embedded keys. */
  readonly trust: TrustOnFile | null;
  /** The trust file as the verifier of the device reads it: a key without its algorithm does not count. */
  readonly store: TrustStore | null;
  readonly embedded: EmbeddedKeys | null;
  /** The trust policy with these keys. */
  readonly policy: Trust | null;
  readonly identity: Identity;
  readonly algorithms: readonly DeviceAlg[];
  readonly features: readonly FeatureName[];
  readonly verifier: VerifierKind;
  readonly engine: string | null;
  /** What starts the image: boot() with the stored release, or other code. */
  readonly start: "release" | "own";
  /** The running release; null if unknown. */
  readonly release: Uint8Array | null;
  /** The role in which releases are installed. Default: release. */
  readonly role?: number;
}

/** A group of equal devices. */
export interface Cohort {
  readonly name: string;
  readonly devices: number;
  readonly model: DeviceModel;
  /** The lowest sequence number of a release that the devices accept: that of the running release. */
  readonly floor: Sequence;
  /** The floors of other roles. Default: `floor`. */
  readonly floors: { readonly debug: Sequence; readonly recovery: Sequence };
}

/** The default algorithms of a verifier. */
const ALL_ALGORITHMS: readonly DeviceAlg[] = [...new Set<DeviceAlg>([...BUNDLE_ALGS, ...keyAlgs])];
const ASSUMED_ALGORITHMS: readonly DeviceAlg[] = ["ed25519", "es256", "hsslms"];
const ASSUMED_FEATURES: readonly FeatureName[] = ["install", "copy", "trust", "families"];

/**
 * Makes a model with a trust file or with keys. The default algorithms and features are all that trust files can need.
 */
export function modelOf(
  o: Pick<DeviceModel, "identity"> &
    Partial<Omit<DeviceModel, "store" | "policy" | "identity">> &
    ({ trust: TrustOnFile } | { embedded: EmbeddedKeys }),
): DeviceModel {
  const algorithms = ALL_ALGORITHMS.filter((name) => (o.algorithms ?? ASSUMED_ALGORITHMS).includes(name));
  const embedded = o.embedded ?? null;
  const withTrust = "trust" in o && o.trust ? o.trust : null;
  const features = BUNDLE_FEATURES.filter((name) =>
    (o.features ?? (withTrust ? ASSUMED_FEATURES : ASSUMED_FEATURES.filter((f) => f !== "trust" && f !== "families"))).includes(name),
  );
  return {
    trust: withTrust,
    store: withTrust && storeOf(withTrust.bytes, { algorithms, features }),
    embedded,
    policy: embedded && {
      // as in a list, a key without its algorithm does not count
      anchors: embedded.keys.filter(({ alg }) => algorithms.includes(alg)).map(anchorOf),
      threshold: embedded.threshold,
    },
    identity: o.identity,
    algorithms,
    features,
    verifier: o.verifier ?? "general",
    engine: o.engine ?? null,
    start: o.start ?? "release",
    release: o.release ?? null,
    ...(o.role !== undefined && { role: o.role }),
  };
}

/** The content of a trust file on a device with these algorithms and features. */
export function storeOf(bytes: Uint8Array, { algorithms, features }: Pick<DeviceModel, "algorithms" | "features">): TrustStore {
  const { embeddedTrust: read } = deviceCode(algorithms, features);
  return rememberedStore((read as NonNullable<typeof read>)(bytes));
}

/**
 * Collects the trust files of a fleet.
 *
 * @param fleet - From readFleet().
 * @returns The trust files, each once.
 */
export function storesOf(fleet: readonly Cohort[]): TrustStore[] {
  return [...new Set(fleet.flatMap(({ model }) => model.trust?.store ?? []))];
}

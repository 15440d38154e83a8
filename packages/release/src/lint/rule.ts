// What a rule is, and what it looks at. A rule is a pure function: everything that it needs was read before.

import type { Explained } from "@firmseal/behaviour";
import type { RoleName } from "@firmseal/signer";
import type { TrustStore } from "@firmseal/verifier";
import type { UnverifiedEnvelope } from "@firmseal/verifier/tools";
import type { Policy } from "../product/file/policy.js";
import type { Board, Product } from "../product/file/product.js";
import type { IdentifiedSignature } from "../verify/signers.js";
import type { SequenceCommand } from "../verify/tree.js";
import type { CutReport } from "./cuts.js";

/** From worst to mildest. */
export const SEVERITIES = ["error", "warning", "note"] as const;

/** How serious a finding is: see SEVERITIES. */
export type Severity = (typeof SEVERITIES)[number];

/** A payload that is in the envelope, beside it, or given. */
export interface LintPayload {
  readonly uri: string;
  readonly size: number;
  /** Its first bytes. */
  readonly head: Uint8Array;
}

/** A release as rules see it. */
export interface LintRelease {
  readonly path: string;
  readonly outline: UnverifiedEnvelope;
  readonly sequence: bigint;
  /** The version in its text. */
  readonly version: string | undefined;
  /** SHA-256 of its manifest, or another digest, in hex. Undefined if it is not signed. */
  readonly digest: string | undefined;
  /** In the order of the envelope. */
  readonly signatures: readonly IdentifiedSignature[];
  /** The kinds of device that it is for, as vendor/class: "-" for a part that it does not name. */
  readonly scope: readonly string[];
  /** The commands before each section, and those of each section. */
  readonly sections: readonly (readonly SequenceCommand[])[];
  readonly payloads: readonly LintPayload[];
  /** URIs of the payloads that are missing. */
  readonly unseen: readonly string[];
  /** What devices do. Undefined if every device refuses the release before it runs a command. */
  readonly explained: Explained | undefined;
  /** Why every device refuses it, or every device with one identity. */
  readonly refusal: { readonly reason: string; readonly words: string } | undefined;
  /** Trust files in it. */
  readonly carried: readonly TrustStore[];
  /** Whether it names or has a bill of materials beside it. */
  readonly hasBillOfMaterials: boolean;
}

/** The previous release. */
export interface LintPrevious {
  readonly path: string;
  readonly sequence: bigint;
  readonly version: string | undefined;
  /** As in LintRelease. */
  readonly digest: string | undefined;
}

export interface LintContext {
  readonly release: LintRelease;
  readonly previous?: LintPrevious;
  /** The trust file that devices have. */
  readonly trust?: { readonly path: string; readonly store: TrustStore };
  /** The product, and the boards of it that the release is for. */
  readonly product?: Pick<Product, "path" | "name" | "sequence" | "trust" | "vendor" | "boards">;
  readonly boards?: readonly Board[];
  /** The outcome of power cuts on a simulated device. */
  readonly cuts?: CutReport;
  /** The role in which it is signed. Default: release. */
  readonly role?: RoleName;
  /** Missing before it is known which keys sign. */
  readonly signed?: true;
}

/** What a rule cannot do without, and what to do if it is missing. */
export const NEEDS = {
  previous: "give the previous release: --previous-release FILE",
  trust: "give the trust file: --trust FILE",
  product: "give the product file: --product FILE",
  cuts: "the release was not simulated",
  signed: "no key has signed yet",
} as const;

export type Need = keyof typeof NEEDS;

export interface Rule {
  /** L and two digits, never used again for another rule. */
  readonly id: string;
  /** In kebab-case. Waivers name the rule by it or by its id. */
  readonly name: string;
  readonly severity: Severity;
  /** What is wrong with a release that it catches. */
  readonly title: string;
  /** Why that is bad. */
  readonly why: string;
  /** What to do about it. */
  readonly fix: string;
  readonly needs?: readonly Need[];
  /** Only with this policy. */
  readonly policy?: Policy;
  /** What it finds, in one line each. Empty if the release passes. */
  check(context: LintContext): string[];
}

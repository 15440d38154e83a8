// What open() gives: a manifest that is believed.

import type { Anchor } from "../base/types.js";
import type { CoseSignature } from "../cose/message.js";
import type { Digest } from "../hash/digest.js";
import type { Envelope, Payload, UnverifiedManifest } from "./parse.js";

export var MARK = {};

/** An authenticated manifest. Only open() makes one; start() and install() take nothing else. */
export interface Manifest extends UnverifiedManifest {
  /** Positions in `trust.anchors` of the anchors that signed; not more than were needed. */
  signers: number[];
  /** These anchors, and how many of them are needed: each counts only for the vendor and class that it is trusted for. */
  believed: Anchor[];
  threshold: number;
  /** Where the signatures lie, and which of them were verified. */
  signatures: CoseSignature[];
  digest: Digest;
  payloads: Payload[];
  parsed: Envelope;
  mark: unknown;
}

// The result of open(): an authenticated manifest.

import type { Anchor, Family } from "../base/types.js";
import type { CoseSignature } from "../cose/message.js";
import type { Digest } from "../hash/digest.js";
import type { Envelope, Payload, UnverifiedManifest } from "./parse.js";

export var MARK = {};

/** An authenticated manifest. Only open() creates one; start() and install() accept nothing else. */
export interface Manifest extends UnverifiedManifest {
  /** Indices in `trust.anchors` of the anchors that signed, not more than were needed. */
  signers: number[];
  /** These anchors, and the threshold. Each counts only for the vendor and class that it is trusted for. */
  believed: Anchor[];
  threshold: number;
  families: Family[] | undefined;
  /** The component that is a trust file; -1 if there is none. */
  trustAt: number;
  /** The places of the signatures, and which of them were verified. */
  signatures: CoseSignature[];
  digest: Digest;
  payloads: Payload[];
  parsed: Envelope;
  mark: unknown;
}

// What open() gives: a manifest that is believed.

import type { Digest } from "./digest.js";
import type { Envelope, Payload, Structure } from "./parse.js";

export var MARK = {};

/** An authenticated manifest. Only open() makes one; start() and install() take nothing else. */
export interface Manifest extends Structure {
  /** Positions in `trust.anchors` of the anchors that signed; not more than were needed. */
  signers: number[];
  digest: Digest;
  payloads: Payload[];
  envelope: Envelope;
  mark: unknown;
}

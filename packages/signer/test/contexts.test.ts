import { decodeItem, STATUS_CONTEXT, TRUST_CONTEXT } from "@firmseal/verifier/tools";
import { expect, it } from "vitest";
import { approvalMessage } from "../src/approval.js";

it("no signature is valid on a signed file of a different kind: each kind has its own external_aad", () => {
  const what = { kind: "envelope", digest: { alg: -16, bytes: new Uint8Array(32) } } as const;
  const message = approvalMessage(what, { alg: -8, publicKey: new Uint8Array(32) });
  // ["Signature1", body_protected, external_aad, payload] (RFC 9052 section 4.4)
  const aad = decodeItem(message).items[2];
  const approval = Buffer.from(message.subarray(aad?.body, aad?.end)).toString();
  expect(approval).toBe("firmseal.approval");
  // that of envelopes is empty (draft-ietf-suit-manifest-37 section 8.3)
  const all = ["", approval, STATUS_CONTEXT, TRUST_CONTEXT];
  expect(new Set(all.map(String)).size).toBe(all.length);
});

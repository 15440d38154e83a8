// Keys behind a program, `exec:PROGRAM`. It gets one JSON line on stdin and answers with one on stdout;
// docs/guides/keys/exec.md describes the protocol. Attacks: a wrong signature, garbage, megabytes of output, no answer,
// no end.

import { createHash } from "node:crypto";
import { inWords, KeyError, type PublicKey, publicKey } from "@firmseal/signer";
import { algsWith } from "../../algorithms.js";
import { KeyFileError } from "../../errors/key-file.js";
import { decodeBase64 } from "../../formats/base64.js";
import type { OpenSource } from "../../source.js";
import { checkedSigner } from "../foreign.js";
import { askProgram as run } from "./exec-run.js";

/** The protocol version. A plug-in that answers another one is refused. */
const CONTRACT = 1;

const PROTOCOL = "docs/guides/keys/exec.md describes the answer of a plug-in";

type PluginAnswer = { readonly [member: string]: unknown };

/**
 * Opens the key behind a program, which runs once for this and once for each signature. Every fault of it is a
 * KeyFileError, exit 3.
 */
export const openProgram: OpenSource = async (ref, { signal }) => {
  const program = ref.slice("exec:".length);
  if (program === "" || program.includes("\0"))
    throw new KeyFileError("exec: names no program", "for example exec:./sign-in-vault; put arguments into a wrapper script", 2);
  const ask = async (request: object): Promise<PluginAnswer> => {
    const line = await run(ref, program, JSON.stringify({ contractVersion: CONTRACT, ...request }), signal);
    return parseAnswer(ref, line);
  };
  const key = describedKey(ref, await ask({ operation: "describe-key" }));
  const about = { alg: key.alg, publicKey: base64(key.key), ...(key.kid && { kid: base64(key.kid) }) };
  const hint = "the plug-in signs with a different key than it describes, or signs something other than the message";
  const signer = checkedSigner(ref, key, hint, async (tbs) => {
    const digest = createHash("sha256").update(tbs).digest("base64");
    const answer = await ask({ operation: "sign", ...about, message: base64(tbs), digest });
    return bytesMember(ref, answer, "signature");
  });
  return { name: ref, public: key, signer };
};

/** Parses the answer as an object of the protocol. Messages never contain its text, which is untrusted. */
export function parseAnswer(ref: string, line: string): PluginAnswer {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new KeyFileError(`${ref}: its answer is not JSON`, PROTOCOL, 3);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new KeyFileError(`${ref}: its answer is not a JSON object`, PROTOCOL, 3);
  const answer = value as PluginAnswer;
  if (answer["contractVersion"] !== CONTRACT)
    throw new KeyFileError(`${ref} does not answer with contractVersion ${CONTRACT}`, "use a plug-in for this version of firmseal", 3);
  return answer;
}

export function describedKey(ref: string, answer: PluginAnswer): PublicKey {
  const alg = answer["alg"];
  const known = algsWith("exec").find((one) => one === alg);
  if (!known) throw new KeyFileError(`${ref}: its alg is not ${inWords(algsWith("exec"))}`, PROTOCOL, 3);
  const kid = answer["kid"] === undefined || answer["kid"] === null ? undefined : bytesMember(ref, answer, "kid");
  try {
    return publicKey(known, bytesMember(ref, answer, "publicKey"), kid);
  } catch (e) {
    if (e instanceof KeyError) throw new KeyFileError(`${ref}: publicKey: ${e.message}`, PROTOCOL, 3);
    throw e;
  }
}

/** Decodes padded base64 (RFC 4648 §4), in canonical form only. */
export function bytesMember(ref: string, answer: PluginAnswer, member: string): Uint8Array {
  const text = answer[member];
  const value = typeof text === "string" ? decodeBase64(text) : undefined;
  if (!value || value.length === 0) throw new KeyFileError(`${ref}: its answer has no ${member} in base64`, PROTOCOL, 3);
  return Uint8Array.from(value);
}

function base64(value: Uint8Array): string {
  return Buffer.from(value).toString("base64");
}

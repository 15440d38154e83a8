// Signature files. An input: the format, the length of the signature file in two octets, that file, the content. What
// verifies is the content that was signed, with the comment and the namespace that were signed. A number after the
// formats: a job document of AWS, a public key of a tool.

import { readOtaJob, writeOtaJob } from "../../packages/formats/src/signature-files/aws-documents.js";
import { MINISIGN } from "../../packages/formats/src/signature-files/minisign.js";
import { AWS_SIGNATURE, DER_SIGNATURE, RAW_SIGNATURE } from "../../packages/formats/src/signature-files/plain.js";
import { SIGNIFY } from "../../packages/formats/src/signature-files/signify.js";
import { SSHSIG } from "../../packages/formats/src/signature-files/sshsig.js";
import { toolKey, writeToolKey } from "../../packages/formats/src/signature-files/tool-key.js";
import { refuseOracle, SECRETS, signAndVerify, signedBy, TRUSTED, unlessRefused } from "../common/formats.js";
import { Finding, type Target } from "../common/verdict.js";

const CONTENT = Buffer.from("firmware\n");
const OPTIONS = { namespace: "firmware@example.com", trustedComment: "version 1" };
const FORMATS = [MINISIGN, SIGNIFY, SSHSIG, RAW_SIGNATURE, DER_SIGNATURE, AWS_SIGNATURE];
/** Facts that a signature covers, as they were signed. */
const COVERED: { readonly [name: string]: unknown } = { "trusted-comment": OPTIONS.trustedComment, namespace: OPTIONS.namespace };
const [JOB, KEY] = [FORMATS.length, FORMATS.length + 1];

function inputOf(format: number, file: Uint8Array, content: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.of(format, file.length >> 8, file.length & 255), file, content]);
}

export function seeds(): Uint8Array[] {
  const some = [SECRETS.ed25519, SECRETS.p256, SECRETS.p384];
  const signed = FORMATS.flatMap((format, i) =>
    some.flatMap((secret) => {
      const variants = [{}, { prehashed: false, hash: "sha256", embedded: true } as const];
      const files = variants.map((more) => unlessRefused(() => signedBy(format.draft(CONTENT, { ...OPTIONS, ...more }), secret)));
      return files.flatMap((file) => (file ? [inputOf(i, file.bytes, CONTENT)] : []));
    }),
  );
  const signature = Buffer.from(signedBy(AWS_SIGNATURE.draft(CONTENT), SECRETS.p256).bytes).toString();
  const file = { path: "/a", size: 9, id: 1, certificate: "c", signature, url: "https://example.com/a" };
  const job = writeOtaJob({ protocols: ["MQTT", "HTTP"], stream: "s", files: [file] });
  const keys = [...TRUSTED.map((key) => writeToolKey(key, "ssh", "c")), writeToolKey(TRUSTED[0] as never, "minisign", "c")];
  return [...signed, inputOf(JOB, Buffer.from(job), CONTENT), ...keys.map((key) => inputOf(KEY, Buffer.from(key), CONTENT))];
}

/** Reads a key or a job document, writes it, and reads the result again. */
function readText(kind: number, text: string): void {
  if (kind === JOB) {
    const job = unlessRefused(() => readOtaJob(text));
    if (job) readOtaJob(writeOtaJob(job));
    return;
  }
  const key = unlessRefused(() => toolKey(text));
  if (key && toolKey(writeToolKey(key, key.number ? "minisign" : "ssh", "c")).id !== key.id) throw new Finding("another key");
}

export const fuzz: Target = (input) => {
  if (input.length < 3) return;
  const [first, high, low] = input as unknown as readonly [number, number, number];
  const kind = first % (KEY + 1);
  const end = 3 + high * 256 + low;
  const [bytes, content] = [input.subarray(3, end), input.subarray(end)];
  const format = FORMATS[kind];
  if (!format) return readText(kind, Buffer.from(bytes).toString("latin1"));
  const file = unlessRefused(() => format.read(bytes, content, OPTIONS));
  if (file && unlessRefused(() => file.verify(TRUSTED)))
    if (Buffer.compare(content, CONTENT) !== 0 || file.facts.details.some(({ name, value }) => (COVERED[name] ?? value) !== value))
      throw new Finding("verified, and nobody signed it");
  // the others sign the content itself, so what they refuse is not theirs
  const check = format === MINISIGN || format === SSHSIG ? refuseOracle : undefined;
  signAndVerify(format.draft(content, OPTIONS), SECRETS.stranger, (again) => format.read(again, content, OPTIONS), check ?? (() => {}));
};

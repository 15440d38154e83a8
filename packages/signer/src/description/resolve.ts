// Replaces the files of a description by bytes, digests and sizes. The caller supplies the functions that read files:
// this package does no I/O.

import { toHex } from "@firmseal/verifier/tools";
import { HASHES } from "../alg/hash.js";
import { toBytes } from "./bytes-value.js";
import { DescriptionError } from "./conform.js";
import { type BytesValue, type Command, type Description, type DigestValue, type HashName, type Parameters, validate } from "./manifest.js";

/** The digest and the size of a file. */
export interface FileDigest {
  digest: Uint8Array;
  /** Size in bytes. */
  size: number;
}

/**
 * The file access that resolve() needs. `hash` must accept files of any size; `read` is used for content that goes into
 * the envelope.
 */
export interface Files {
  hash(path: string, algorithm: HashName): Promise<FileDigest>;
  read(path: string): Promise<Uint8Array>;
}

/** Replaces the references to files and payloads in the parts of a description. */
class Resolver {
  /** The payloads, whose content is known. */
  payloads: { [uri: string]: BytesValue } = {};

  constructor(private readonly files: Files) {}

  async octets(value: BytesValue): Promise<BytesValue> {
    return typeof value === "object" && "file" in value ? this.files.read(value.file) : value;
  }

  private async digested(ref: { file: string } | { payload: string }, algorithm: HashName): Promise<FileDigest> {
    if ("file" in ref) return this.files.hash(ref.file, algorithm);
    const payload = Object.hasOwn(this.payloads, ref.payload) ? this.payloads[ref.payload] : undefined;
    if (payload === undefined) throw new DescriptionError("/payloads", `unknown payload ${JSON.stringify(ref.payload)}`);
    const bytes = toBytes(payload);
    return { digest: HASHES[algorithm].hash(bytes), size: bytes.length };
  }

  private async parameters(value: Parameters): Promise<Parameters> {
    const { image, ...out } = value;
    if (image) {
      const algorithm = image.algorithm ?? "sha-256";
      const { digest, size } = await this.digested(image, algorithm);
      out["image-digest"] = { algorithm, hex: toHex(digest) };
      out["image-size"] = size;
    }
    const given: DigestValue | undefined = value["image-digest"];
    if (given && !("hex" in given)) {
      const algorithm = given.algorithm ?? "sha-256";
      out["image-digest"] = { algorithm, hex: toHex((await this.digested(given, algorithm)).digest) };
    }
    for (const name of ["content", "invoke-args", "fetch-args"] as const) {
      const v = out[name];
      if (v !== undefined) out[name] = await this.octets(v);
    }
    return out;
  }

  private async command(c: Command): Promise<Command> {
    if (typeof c === "string") return c;
    if ("directive-override-parameters" in c)
      return { "directive-override-parameters": await this.parameters(c["directive-override-parameters"]) };
    if ("directive-run-sequence" in c) return { "directive-run-sequence": await this.sequence(c["directive-run-sequence"]) };
    if ("directive-try-each" in c) {
      const alternatives: (Command[] | null)[] = [];
      for (const a of c["directive-try-each"]) alternatives.push(a === null ? null : await this.sequence(a));
      return { "directive-try-each": alternatives };
    }
    return c;
  }

  async sequence(commands: readonly Command[]): Promise<Command[]> {
    const out: Command[] = [];
    for (const c of commands) out.push(await this.command(c));
    return out;
  }
}

/**
 * Fills in what a description refers to in files: their content, digests and sizes.
 *
 * @param description - The description. It does not change.
 * @param files - Reads and hashes the files.
 * @returns A copy without references to files.
 * @throws DescriptionError for a payload that the description does not have, and what `files` throws.
 */
export async function resolve(description: unknown, files: Files): Promise<Description> {
  const d = validate(description);
  const resolver = new Resolver(files);
  const read: [string, BytesValue][] = [];
  for (const [uri, value] of Object.entries(d.payloads ?? {})) read.push([uri, await resolver.octets(value)]);
  // a URI may be "__proto__"
  resolver.payloads = Object.fromEntries(read);
  const out: Description = { ...d };
  if (d.payloads) out.payloads = resolver.payloads;
  for (const name of ["shared-sequence", "validate", "load", "invoke", "payload-fetch", "install"] as const) {
    const commands = d[name];
    if (commands) out[name] = await resolver.sequence(commands);
  }
  const components: BytesValue[][] = [];
  for (const id of d.components) {
    const parts: BytesValue[] = [];
    for (const part of id) parts.push(await resolver.octets(part));
    components.push(parts);
  }
  out.components = components;
  return out;
}

// What a device refuses beyond the interpreter: the rules of the installer, for effects that are examined and not
// carried out.

import {
  type Bytes,
  type Digest,
  type Effect,
  errors,
  type Identity,
  identityChecked,
  type Manifest,
  type Run,
  start,
  step,
} from "@firmseal/verifier";
import {
  COMMAND_ROWS,
  COND_CHECK_CONTENT,
  COND_IMAGE_MATCH,
  DIR_COPY,
  DIR_INVOKE,
  DIR_SWAP,
  equalBytes,
  HASH_NAMES,
} from "@firmseal/verifier/tools";
import { sha256, sha384, sha512 } from "@noble/hashes/sha2.js";

/** What a device does with a release: installs it, or starts it. */
export type Phase = "install" | "start";

/** What is used of the verifier, or of a device bundle. `identityChecked` is missing in bundles. */
export interface Interpreter {
  start(manifest: Manifest, sections: number[], identity: Identity): Run;
  step(run: Run, outcome?: boolean): Effect | undefined;
  identityChecked?(run: Run): boolean;
}

/** Commands that tools execute for all kinds of device together. */
export const MOST_TRIED_COMMANDS = 524_288;

/**
 * Returns the verifier of the tools, whose runs together execute at most `most` commands, because kinds of device and
 * commands multiply. Throws what `excess` returns, at the start of a run.
 */
export function limitedInterpreter(most: number, excess: () => Error): Required<Interpreter> {
  let before = 0;
  let last: Run | undefined;
  return {
    step,
    identityChecked,
    start(m, sections, identity) {
      before += last?.commands ?? 0;
      if (before > most) throw excess();
      last = start(m, sections, identity);
      return last;
    },
  };
}

/** A hash function, at once or in parts. */
export interface HashFunction {
  (bytes: Uint8Array): Uint8Array;
  create(): { update(bytes: Uint8Array): unknown; digest(): Uint8Array };
}

/**
 * Hash functions by the names of `HASH_NAMES`. As getters, so that a program loads them only for a content that it must
 * hash.
 */
export const HASH_FUNCTIONS: { readonly [name: string]: HashFunction } = {
  get "sha-256"() {
    return sha256;
  },
  get "sha-384"() {
    return sha384;
  },
  get "sha-512"() {
    return sha512;
  },
};

export const isWrite = ({ op }: Effect): boolean => COMMAND_ROWS[op]?.changes === true;

/** Whether a condition asks for the content of a component. */
export const isComparison = ({ op }: Effect): boolean => op === COND_IMAGE_MATCH || op === COND_CHECK_CONTENT;

/**
 * The number of the refusal of a device that does not admit an effect, or the end of a run (undefined). Devices check
 * effects in both rehearsals, before they change anything. Returns undefined if the device admits it.
 */
export function admissionRefusal(by: Interpreter, run: Run, e: Effect | undefined, during: Phase): number | undefined {
  const starts = e?.op === DIR_INVOKE;
  if (starts && during === "install") return errors.INVOKE_MISPLACED;
  const writes = e !== undefined && isWrite(e);
  if (writes && (!e.digest || (e.op === DIR_SWAP && !e.sourceDigest))) return errors.DIGEST_UNSET;
  const isDue = !e || writes || starts;
  return isDue && by.identityChecked && !by.identityChecked(run) ? errors.IDENTITY_UNCHECKED : undefined;
}

/** What a payload must match. Without a digest, only its size is known yet. */
export interface Expectation {
  uri: string;
  digest: Digest | undefined;
  size: number | undefined;
}

/** What is known of a component that the release has written. */
interface Written {
  /** What it must match in the end: the digest and the size in bytes that were set last. */
  readonly digest: Digest | undefined;
  readonly size: number | undefined;
  /** Its bytes, if they are in the manifest. */
  readonly content: Bytes | undefined;
  /** The payload that it has. */
  readonly uri: string | undefined;
}

/** Whether bytes are the image that a digest and a size mean. Without a size, nothing is not an image of 0 bytes. */
function isImage(content: Bytes, { digest, size }: Pick<Effect, "digest" | "size">): boolean {
  if (size === undefined ? content.length === 0 : size !== content.length) return false;
  const hash = digest && HASH_FUNCTIONS[HASH_NAMES[digest.alg] ?? ""];
  return !hash || equalBytes(hash(Uint8Array.from(content)), digest.bytes);
}

/** Whether an image that was installed cannot be the one that a comparison asks for. */
function isOther(written: Written, { digest, size }: Effect): boolean {
  if (size !== undefined && written.size !== undefined && size !== written.size) return true;
  return digest !== undefined && digest.alg === written.digest?.alg && !equalBytes(digest.bytes, written.digest.bytes);
}

/** What is known of the components of a device while it runs the sections of one phase. */
export class KnownContents {
  private readonly written: Map<number, Written>;
  /** Components that this phase has written. */
  private readonly fresh = new Set<number>();
  private readonly matched = new Set<number>();
  /** What payloads must match, in the order in which a device notices. */
  readonly expected: Expectation[] = [];

  /** `before`: what is known from the installation, for a start. */
  constructor(before?: KnownContents) {
    this.written = new Map(before?.written);
  }

  /** Whether the release has written the component. */
  hasWritten(component: number): boolean {
    return this.written.has(component);
  }

  /** Whether a comparison of this component has one result on all devices: the release alone decides about it. */
  isFixed({ component }: Effect): boolean {
    const written = this.written.get(component);
    return written !== undefined && (written.content !== undefined || !this.fresh.has(component));
  }

  /** The result of a comparison, or `otherwise` if the release has not written the component. */
  matches(e: Effect, otherwise: boolean): boolean {
    const written = this.written.get(e.component);
    if (!written) return otherwise;
    const { content } = written;
    if (e.op === COND_CHECK_CONTENT) return !content || equalBytes(content, e.content as Bytes);
    if (content) return isImage(content, e);
    // until the installation ends, a payload may turn out to be what the next comparison asks for
    return this.fresh.has(e.component) || !isOther(written, e);
  }

  /** The number of the refusal of an effect that these components do not allow. */
  refusal(e: Effect): number | undefined {
    if (e.content && isWrite(e) && e.size !== undefined && e.size !== e.content.length) return errors.PAYLOAD_SIZE;
    return this.misuse(e);
  }

  /** The number of the refusal of an image that is invoked without a comparison, or copied from where it would go. */
  misuse({ op, component, source = -1 }: Effect): number | undefined {
    if (op === DIR_INVOKE && !this.matched.has(component)) return errors.INVOKE_UNVERIFIED;
    if (op !== DIR_COPY && op !== DIR_SWAP) return undefined;
    const untouched = op === DIR_SWAP ? [component, source] : component === source ? [component] : [];
    const isItself = op === DIR_SWAP && component === source;
    return isItself || untouched.some((i) => this.fresh.has(i)) ? errors.NOT_SUPPORTED : undefined;
  }

  /** Takes in the outcome of an effect. */
  took(e: Effect, ok: boolean): void {
    if (e.op === COND_IMAGE_MATCH) this.compared(e, ok);
    if (!isWrite(e)) return;
    const [here, there] = [this.written.get(e.component), this.written.get(e.source ?? -1)];
    const { content, uri } = e.source === undefined ? e : { content: there?.content, uri: there?.uri };
    this.write(e.component, { digest: e.digest, size: e.size, content, uri });
    if (e.op === DIR_SWAP)
      this.write(e.source as number, { digest: e.sourceDigest, size: e.sourceSize, content: here?.content, uri: here?.uri });
  }

  private compared({ component, digest, size }: Effect, ok: boolean): void {
    if (ok) this.matched.add(component);
    else this.matched.delete(component);
    const written = this.written.get(component);
    if (!written) return;
    const now = { ...written, digest, size: ok ? (size ?? written.size) : written.size };
    this.written.set(component, now);
    if (now.uri !== undefined) this.expected.push({ uri: now.uri, digest, size });
  }

  private write(component: number, what: Written): void {
    this.written.set(component, what);
    this.fresh.add(component);
    this.matched.delete(component);
    if (what.uri !== undefined) this.expected.push({ uri: what.uri, digest: undefined, size: what.size });
  }

  /** An installation reads back what it has written. Returns the number of its refusal. */
  readBack(): number | undefined {
    let refusal: number | undefined;
    for (const i of this.fresh) {
      const { content, uri, ...written } = this.written.get(i) as Written;
      if (uri !== undefined) this.expected.push({ uri, ...written });
      if (content && !isImage(content, { ...written, size: content.length })) refusal = errors.IMAGE_UNVERIFIED;
    }
    return refusal;
  }
}

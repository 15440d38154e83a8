// Keeps track of the components of a device while a release is examined: no effect is carried out.

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
  COND_CHECK_CONTENT,
  COND_IMAGE_MATCH,
  DIR_SWAP,
  type Doings,
  equalBytes,
  HASH_NAMES,
  isChange,
  took,
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
 * Makes the verifier of the tools with a limit, because kinds of device and commands multiply.
 *
 * @param most - Commands that its runs may execute together.
 * @param excess - Makes the error to throw beyond them.
 * @returns The verifier of the tools, for the functions of this package.
 * @throws What `excess` returns, at the start of a run.
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

/** Whether a condition asks for the content of a component. */
export const isComparison = ({ op }: Effect): boolean => op === COND_IMAGE_MATCH || op === COND_CHECK_CONTENT;

/** What a payload must match. Without a digest, only its size is known yet. */
export interface Expectation {
  uri: string;
  /** Index of the component that gets it. */
  component: number;
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

/** Whether a command would write an image of the manifest whose size is not the one that it must have. */
export function isWrongSize(e: Effect): boolean {
  return isChange(e) && !!e.content && e.size !== undefined && e.size !== e.content.length;
}

/** The components of a device, as far as they are known, in one phase. */
export class KnownContents {
  private readonly written: Map<number, Written>;
  /** What this phase has done. */
  readonly done: Doings = { fresh: {}, matched: {} };
  /** What payloads must match, in the order in which a device notices. */
  readonly expected: Expectation[] = [];

  /** `before`: what is known from the installation, for a start. */
  constructor(before?: KnownContents) {
    this.written = new Map(before?.written);
  }

  /** Whether this phase has written the component. */
  private isFresh(component: number): boolean {
    return this.done.fresh[component] !== undefined;
  }

  /** Whether the release has written the component. */
  hasWritten(component: number): boolean {
    return this.written.has(component);
  }

  /** Whether a comparison of this component has one result on all devices: the release alone decides about it. */
  isFixed(e: Effect): boolean {
    return this.isInstalled(e) || this.written.get(e.component)?.content !== undefined;
  }

  /** Whether a device that has installed the release knows the result of a comparison in its start. */
  isInstalled({ component }: Effect): boolean {
    return this.hasWritten(component) && !this.isFresh(component);
  }

  /** Whether a start would write what its digest or its size does not mean, as far as that is known. */
  isWrongWrite(e: Effect): boolean {
    const { source, content } = e;
    if (!isChange(e)) return false;
    if (content) return !isImage(content, e);
    return (
      source !== undefined &&
      this.isInstalled({ ...e, component: source }) &&
      !this.matches({ ...e, op: COND_IMAGE_MATCH, component: source }, true)
    );
  }

  /** The result of a comparison, or `otherwise` if the release has not written the component. */
  matches(e: Effect, otherwise: boolean): boolean {
    const written = this.written.get(e.component);
    if (!written) return otherwise;
    const { content } = written;
    if (e.op === COND_CHECK_CONTENT) return !content || equalBytes(content, e.content as Bytes);
    if (content) return isImage(content, e);
    // until the installation ends, a payload may turn out to be what the next comparison asks for
    return this.isFresh(e.component) || !isOther(written, e);
  }

  /** Takes in the outcome of an effect. */
  took(e: Effect, ok: boolean): void {
    took(e, this.done, ok);
    if (e.op === COND_IMAGE_MATCH) this.compared(e, ok);
    if (!isChange(e)) return;
    const [here, there] = [this.written.get(e.component), this.written.get(e.source ?? -1)];
    const { content, uri } = e.source === undefined ? e : { content: there?.content, uri: there?.uri };
    this.write(e.component, { digest: e.digest, size: e.size, content, uri });
    if (e.op === DIR_SWAP)
      this.write(e.source as number, { digest: e.sourceDigest, size: e.sourceSize, content: here?.content, uri: here?.uri });
  }

  private compared({ component, digest, size }: Effect, ok: boolean): void {
    const written = this.written.get(component);
    if (!written) return;
    // what was installed stays what it is, whatever a start compares it with
    const meant = this.isFresh(component) ? digest : written.digest;
    const now = { ...written, digest: meant, size: ok ? (size ?? written.size) : written.size };
    this.written.set(component, now);
    if (now.uri !== undefined) this.expected.push({ uri: now.uri, component, digest, size });
  }

  private write(component: number, what: Written): void {
    this.written.set(component, what);
    if (what.uri !== undefined) this.expected.push({ uri: what.uri, component, digest: undefined, size: what.size });
  }

  /** An installation reads back what it has written. Returns the number of its refusal, or 0. */
  readBack(): number {
    let refusal = 0;
    for (const i of Object.keys(this.done.fresh)) {
      const { content, uri, ...written } = this.written.get(Number(i)) as Written;
      if (uri !== undefined) this.expected.push({ uri, component: Number(i), ...written });
      if (content && !isImage(content, { ...written, size: content.length })) refusal = errors.IMAGE_UNVERIFIED;
    }
    return refusal;
  }
}

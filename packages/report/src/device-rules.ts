// What a device refuses beyond the interpreter: the rules of the installer, for effects that are only looked at.

import { type Effect, errors, type Identity, type Manifest, type Run } from "@firmseal/verifier";
import { COND_IMAGE_MATCH, DIR_COPY, DIR_FETCH, DIR_INVOKE, DIR_SWAP, DIR_WRITE } from "@firmseal/verifier/tools";

export type Phase = "install" | "start";

/** What is used of the verifier, or of a device bundle. `identityChecked` is missing in bundles. */
export interface Interpreter {
  start(manifest: Manifest, sections: number[], identity: Identity): Run;
  step(run: Run, outcome?: boolean): Effect | undefined;
  identityChecked?(run: Run): boolean;
}

/** The number of the refusal of a device that does not do what the interpreter asks for. Undefined: it does. */
export function installerRefusal(by: Interpreter, run: Run, e: Effect | undefined, during: Phase = "install"): number | undefined {
  const starts = e?.op === DIR_INVOKE;
  if (starts && during === "install") return errors.INVOKE_MISPLACED;
  const isWrite = e !== undefined && (e.op === DIR_FETCH || e.op === DIR_WRITE || e.op === DIR_COPY || e.op === DIR_SWAP);
  if (isWrite && (!e.digest || (e.op === DIR_SWAP && !e.sourceDigest))) return errors.DIGEST_UNSET;
  if (e?.op === DIR_WRITE && e.size !== undefined && e.size !== e.content?.length) return errors.PAYLOAD_SIZE;
  // before anything is changed or started, and at the end of an installation
  const isDue = isWrite || starts || (!e && during === "install");
  return isDue && by.identityChecked && !by.identityChecked(run) ? errors.IDENTITY_UNCHECKED : undefined;
}

/** What a device knows of its components while it runs some sections. */
export class Known {
  readonly written = new Set<number>();
  private readonly matched = new Set<number>();

  constructor(private readonly during: Phase) {}

  /** The number of the refusal of an effect that these components do not allow. */
  refusal({ op, component, source = -1 }: Effect): number | undefined {
    if (op === DIR_INVOKE && !this.matched.has(component)) return errors.INVOKE_UNVERIFIED;
    if (op !== DIR_COPY && op !== DIR_SWAP) return undefined;
    const fresh = op === DIR_SWAP ? [component, source] : component === source ? [component] : [];
    const isItself = op === DIR_SWAP && component === source;
    return isItself || (this.during === "install" && fresh.some((i) => this.written.has(i))) ? errors.NOT_SUPPORTED : undefined;
  }

  /** Takes in that an effect has been carried out. */
  took({ op, component, source = -1 }: Effect): void {
    if (op === COND_IMAGE_MATCH) this.matched.add(component);
    if (op !== DIR_FETCH && op !== DIR_WRITE && op !== DIR_COPY && op !== DIR_SWAP) return;
    for (const i of op === DIR_SWAP ? [component, source] : [component]) {
      this.written.add(i);
      this.matched.delete(i);
    }
  }
}

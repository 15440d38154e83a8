// What doctor has checked: a line for each check. A check that throws fails, and does not stop the others.

import type { Failure } from "@firmseal/keys";

/** From best to worst, and what could not be checked. */
export type CheckState = "ok" | "not checked" | "warning" | "fails";

/** The result of a check. */
export interface Check {
  /** What was checked: a key, a log, the clock. */
  readonly check: string;
  /** Which one: usually a path. */
  readonly subject: string;
  readonly state: CheckState;
  /** What is known of it, in one clause. */
  readonly what: string;
  /** What to do about it. Null if it is good. */
  readonly hint: string | null;
}

/** Collects the results of checks. */
export class Checks {
  readonly all: Check[] = [];
  /** What the first check that failed has thrown. */
  thrown: Failure | undefined;

  /** `failureOf`: turns what a check has thrown into words. */
  constructor(private readonly failureOf: (e: unknown) => Failure) {}

  add(check: string, subject: string, state: CheckState, what: string, hint: string | null = null): void {
    this.all.push({ check, subject, state, what, hint });
  }

  /** Runs a check, which adds its result. If it throws, it fails, and the result is undefined. */
  async run<T>(check: string, subject: string, work: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (e) {
      const failure = this.failureOf(e);
      this.thrown ??= failure;
      const { message, hint } = failure;
      this.add(check, subject, "fails", message.startsWith(`${subject}: `) ? message.slice(subject.length + 2) : message, hint);
      return undefined;
    }
  }
}

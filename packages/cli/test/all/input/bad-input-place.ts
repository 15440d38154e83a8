import { expect } from "vitest";
import { expectFailure, keyC, type Place, quicklyEncrypted, signImage, standard } from "../../../../test-support/src/command-line/run.js";

export const PASS = "the passphrase";

export async function made(): Promise<{ encrypted: Buffer; signed: Buffer }> {
  const p = standard();
  p.put("e.pem", quicklyEncrypted(keyC, PASS));
  await signImage(p, 7, "fw.suit");
  return { encrypted: p.get("e.pem"), signed: p.get("fw.suit") };
}

export const { encrypted, signed } = await made();

export function place(): Place {
  const p = standard();
  p.put("e.pem", encrypted);
  p.put("fw.suit", signed);
  return p;
}

/** Runs a command that fails, sees that nothing changes, and returns its first line. */
export async function fails(p: Place, exit: number, args: readonly string[], o: Parameters<Place["run"]>[1] = {}): Promise<string> {
  const before = p.tree();
  const line = expectFailure(await p.run(args, { limit: 20_000, ...o }), exit);
  expect(p.tree()).toEqual(before);
  return line;
}

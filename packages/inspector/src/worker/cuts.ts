// Cuts the power of a simulated device at every write and erase.

import { reportCuts } from "@firmseal/report";
import type { OnProgress } from "@firmseal/report/page";
import { DEVICES, simulate, Unsimulated } from "@firmseal/simulator";
import { isRefusal } from "@firmseal/verifier/tools";
import type { DeskCuts, DeviceSettings } from "../protocol.js";
import { TEXTS } from "../texts.js";
import type { Main } from "./main-file.js";
import type { Desk } from "./open-files.js";
import { fetchesOf } from "./release.js";
import { refusalText, Sentence } from "./sentence.js";
import { settingsIdentity } from "./trace.js";
import type { DeskPolicy } from "./verdict/policy.js";

/** Bytes of a release with its payloads, so that all cuts take seconds. */
const MOST_BYTES = 2 * 1024 * 1024;

/** Every payload outside the envelope must be open. */
async function payloadsFor(desk: Desk, main: Main): Promise<Map<string, Uint8Array>> {
  const missing = (await fetchesOf(main)).find(({ uri }) => !desk.payloads.some((payload) => payload.uri === uri));
  if (missing) throw new Sentence(TEXTS.cutMissing(missing.uri));
  return new Map(desk.payloads.map(({ uri, bytes }) => [uri, bytes]));
}

/** Simulates the installation. Throws Sentence if it cannot be simulated. */
export async function cutsOf(
  desk: Desk,
  policy: DeskPolicy | undefined,
  of: { device: DeviceSettings; model: string },
  progress: OnProgress,
): Promise<DeskCuts> {
  const main = desk.envelope;
  const make = Object.hasOwn(DEVICES, of.model) ? DEVICES[of.model]?.make : undefined;
  if (!main || !policy || !make) throw new Sentence(TEXTS.cutUnsigned);
  const payloads = await payloadsFor(desk, main);
  const size = [...payloads.values()].reduce((sum, { length }) => sum + length, main.bytes.length);
  if (size > MOST_BYTES) throw new Sentence(TEXTS.cutTooLarge(MOST_BYTES));
  const release = { envelope: main.bytes, trust: policy.trust, payloads };
  try {
    const { report, sequences } = await simulate(make, release, settingsIdentity(of.device), { secondCuts: 1, progress });
    return {
      cells: reportCuts(report.points),
      faults: report.faultCount,
      previous: String(sequences.previous ?? 0n),
      update: String(sequences.update),
    };
  } catch (e) {
    throw asSentence(e);
  }
}

function asSentence(e: unknown): unknown {
  if (e instanceof RangeError) return new Sentence(TEXTS.vendorNumber);
  if (e instanceof Unsimulated) {
    const { cause } = e;
    const words = isRefusal(cause) ? refusalText(cause) : (cause as Error).message;
    return new Sentence(TEXTS.cutFailed(TEXTS.cutSteps[e.step], words));
  }
  return isRefusal(e) ? new Sentence(`${TEXTS.refused}: ${refusalText(e)}`) : e;
}

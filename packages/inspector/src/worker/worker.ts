// The worker: has the open files, and answers the page.

import type { OnProgress } from "@firmseal/report/page";
import { loadAlg } from "@firmseal/signer";
import { isRefusal } from "@firmseal/verifier/tools";
import type { AskName, Asks, Life, Reply, Request } from "../protocol.js";
import { TEXTS } from "../texts.js";
import { cutsOf } from "./cuts.js";
import { diagnosticOf, mainFile } from "./main-file.js";
import { Desk } from "./open-files.js";
import { openRelease } from "./release.js";
import { sampleFiles } from "./sample.js";
import { refusalText, Sentence } from "./sentence.js";
import { traceOf } from "./trace.js";
import { policyFor } from "./verdict/policy.js";
import { deskVerdict } from "./verdict/verdict.js";

type Answers = { [name in AskName]: (of: Asks[name][0], progress: OnProgress) => Asks[name][1] | Promise<Asks[name][1]> };

// what the algorithms need comes now: later there may be no network
const loaded = loadAlg("ml-dsa-44");

const desk = new Desk();
/** How many keys must have signed: what was asked last. */
let threshold = 1;

/** The policy, or undefined if it is refused: then nobody is trusted. */
const policyNow = (device: Asks["trace"][0]) => policyFor(desk, threshold, device).catch(() => undefined);

const ANSWERS: Answers = {
  open: ({ file, name }, progress) => desk.open(file, name, progress),
  paste: (text) => desk.paste(text),
  sample: ({ changed }) => sampleFiles(changed),
  remove: (id) => void desk.remove(id),
  clear: () => void desk.clear(),
  verify: (of, progress) => {
    threshold = of.threshold;
    return deskVerdict(desk, threshold, of.device, progress);
  },
  main: () => desk.main && mainFile(desk.main),
  children: (id) => desk.main?.tree.children(id) ?? [],
  locate: (at) => desk.main?.tree.locate(at) ?? { path: [], levels: [] },
  diagnostic: () => (desk.main ? diagnosticOf(desk.main) : ""),
  trace: async (device) => {
    if (!desk.envelope) return { verified: false, steps: [], components: [] };
    return traceOf(desk.envelope, await openRelease(desk.envelope, (await policyNow(device))?.trust), device);
  },
  cuts: async (of, progress) => cutsOf(desk, await policyNow(of.device), of, progress),
};

const send = (reply: Reply) => self.postMessage(reply);

/** One sentence for people. What nobody foresaw has a sentence too. */
function sentenceOf(e: unknown): string {
  if (e instanceof Sentence) return e.message;
  if (isRefusal(e)) return `${TEXTS.refused}: ${refusalText(e)}`;
  return TEXTS.unexpected;
}

async function answer({ id, ask, of }: Request): Promise<void> {
  try {
    const work = ANSWERS[ask] as (of: unknown, progress: OnProgress) => unknown;
    send({ id, answer: await work(of, (done, total) => send({ id, done, total })) });
  } catch (e) {
    send({ id, sentence: sentenceOf(e) });
  }
}

// one after the other: a file that is read while another is verified must not change what is verified
let queue = loaded.catch(() => {});
self.addEventListener("message", ({ data }: MessageEvent<Request | Life>) => {
  if ("alive" in data) {
    // held until this worker ends
    navigator.locks?.request(data.alive, () => {
      send({ alive: data.alive });
      return new Promise(() => {});
    });
    return;
  }
  queue = queue.then(() => answer(data));
});

// The device in a folder, whose device.json and slots are anything. An invalid record is an error with words; every
// other one gives a device that starts what was signed, or refuses by number.

import { boot } from "@firmseal/verifier";
import { createFileDevice, fileDevice } from "@firmseal/verifier/device/file";
import { FsModel } from "../../packages/simulator/src/storage-models/fs-model.js";
import { installed, RELEASES, who } from "../common/release.js";
import { host, trust } from "../common/vectors.js";
import { Finding, refusal, type Target } from "../common/verdict.js";

const FOLDER = "/device";

function genuine() {
  const fs = new FsModel({ files: new Map(), folders: new Set(["/"]) });
  createFileDevice(fs, FOLDER, who, 4096);
  installed(fileDevice(fs, FOLDER) as never, RELEASES[0] as Uint8Array);
  return fs.off();
}

const state = genuine();
const record = state.files.get(`${FOLDER}/device.json`) as Uint8Array;

export const seeds = () => [record, Buffer.from(JSON.stringify(JSON.parse(Buffer.from(record).toString())))];

/** What the reader of the record says in words; everything else that it throws is a fault of it. */
const WORDS =
  /^(device\.json is not a device record|not a decimal number of 64 bits|the file is shorter than it was|ENOENT.*|write beyond the end|the floor would go down)/;

export const fuzz: Target = (input) => {
  const files = new Map(state.files);
  files.set(`${FOLDER}/device.json`, input);
  const fs = new FsModel({ files, folders: state.folders });
  let device: ReturnType<typeof fileDevice>;
  let envelope: ReturnType<ReturnType<typeof fileDevice>["envelope"]>;
  try {
    device = fileDevice(fs, FOLDER);
    envelope = device.envelope();
  } catch (e) {
    if (e instanceof SyntaxError || (e instanceof Error && WORDS.test(e.message))) return;
    throw e;
  }
  if (envelope)
    refusal(() => {
      const progress = boot(envelope, trust, device, host);
      if (progress.next()) progress.next(false);
    });
  if (installed(device as never, RELEASES[1] as Uint8Array) !== 0) return;
  if (!device.record.envelope || Object.keys(device.record.components).length === 0) throw new Finding("an update was installed nowhere");
};

import { plural, usage } from "@firmseal/keys/internal";
import { makeNonces } from "@firmseal/release";
import { fleetDevices } from "@firmseal/release/internal";
import { define, option } from "../../command.js";
import { checkOutput, deliver } from "../../common/output.js";

interface AskOptions {
  fleet: string;
  out: string;
  json?: boolean;
}

/** Makes a nonce for each row of a fleet file that is one device. */
function ask(o: AskOptions) {
  checkOutput(o.out, "--out", [o.fleet]);
  const devices = fleetDevices(o.fleet);
  if (devices.length === 0)
    throw usage(`${o.fleet}: no row is one device`, "give each device a row of its own, with its key identifier as the name");
  // nonces that are out must not be lost: their answers could not be verified
  const member = deliver(o.out, new TextEncoder().encode(makeNonces(devices)), o.json, { fresh: true });
  return { file: o.out, devices: devices.length, ...member };
}

export default define({
  name: "status ask",
  summary: "make a nonce for each device of a fleet file, to send to the device",
  options: () => [
    option("--fleet <file>", "the devices: rows of one device, named by key identifier", { required: true }),
    option("-o, --out <file>", "the nonces, as JSON Lines: a new file, or - for stdout", { required: true }),
  ],
  examples: [
    ["firmseal status ask --fleet fleet.jsonl --out sent.jsonl", "a nonce for each device"],
    ["firmseal status ask --fleet fleet.jsonl --out - --json", "for a program that sends them"],
  ],
  json: {
    file: ["string", "the file with the nonces"],
    devices: ["number", "how many nonces it has"],
    "data?": ["string", "the nonces in base64, if they go to stdout"],
  },
  run: ask,
  words: (f) => [`${f.file}: ${plural(f.devices, "nonce")}`],
});

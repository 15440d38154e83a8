// A batch of three sensors, each of which gets its own calibration.

import { readdirSync } from "node:fs";
import { type Place, type Result, type RunOptions, standard } from "../../../test-support/src/command-line/run.js";

const UUID = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;

/** A template whose devices differ in their identifier and their calibration. */
export const TEMPLATE = {
  $schema: "urn:firmseal:manifest:1",
  components: [["calibration"]],
  "shared-sequence": [
    {
      "directive-override-parameters": {
        "vendor-identifier": { domain: "example.com" },
        "class-identifier": { domain: "example.com", name: "sensor-v1" },
        "device-identifier": { $field: "device" },
        image: { payload: "#calibration" },
      },
    },
    "condition-vendor-identifier",
    "condition-class-identifier",
    "condition-device-identifier",
  ],
  validate: ["condition-image-match"],
  install: [{ "directive-override-parameters": { uri: "#calibration" } }, "directive-fetch", "condition-image-match"],
  payloads: { "#calibration": { hex: { $field: "calibration" } } },
} as const;

/** A list of `count` devices, in CSV. */
export const devices = (count: number): string =>
  `device,calibration\n${Array.from({ length: count }, (_, i) => `${UUID(i + 1)},${(i + 1).toString(16).padStart(8, "0")}\n`).join("")}`;

/** The same list in JSON Lines. */
export const deviceLines = (count: number): string =>
  Array.from(
    { length: count },
    (_, i) => `${JSON.stringify({ device: UUID(i + 1), calibration: (i + 1).toString(16).padStart(8, "0") })}\n`,
  ).join("");

/** The signing logs of the keys stay. */
export function batchPlace(count = 3): Place {
  const p = standard();
  p.keepsLogs = true;
  p.put("template.json", JSON.stringify(TEMPLATE));
  p.put("devices.csv", devices(count));
  return p;
}

/** Makes the batch of devices.csv with A.pem, whose log has nothing yet. */
export const batch = (p: Place, more: readonly string[] = ["--first"], o: RunOptions = {}): Promise<Result> =>
  p.run(["batch", "template.json", "--devices", "devices.csv", "--key", "A.pem", "--out", "out", ...more], o);

/** The signed envelopes of a shard by name. */
export function envelopes(p: Place, shard = "0001"): Map<string, Buffer> {
  return new Map(
    readdirSync(p.at("out", shard))
      .sort()
      .map((name) => [name, p.get(`out/${shard}/${name}`)]),
  );
}

import { type Device, macAttester, status } from "@firmseal/verifier";
import { memoryDevice } from "@firmseal/verifier/device/memory";
import type { Row } from "../budget.js";
import { repeat } from "../budget-inputs.js";
import { fleetCsv, trustFile } from "./common.js";

const serial = (i: number) => `serial-${i}`;

const kidOf = (i: number) => new TextEncoder().encode(serial(i));

const statusSecret = (i: number) => Uint8Array.from({ length: 32 }, (_, k) => (k < 4 ? i >> (8 * k) : k) & 255);

const statusNonce = (i: number) => Uint8Array.from({ length: 16 }, (_, k) => (k < 4 ? i >> (8 * k) : k) & 255);

const jsonLines = (n: number, make: (i: number) => object) => repeat(n, (i) => `${JSON.stringify(make(i))}\n`).join("");

/** What a device with keys in its firmware answers. */
function statusOf(i: number): Uint8Array {
  const device = memoryDevice({ vendor: [], class: [] }, [], 0);
  return Uint8Array.from(status(statusNonce(i), device as Device, null, null, macAttester(statusSecret(i), kidOf(i))));
}

const statusLine = (bytes: Uint8Array) => ({ status: Buffer.from(bytes).toString("base64") });

/** Collects answers for a fleet of `n` devices, or of `devices`. */
const onStatuses = (name: string, units: number, answers: (n: number) => string, more: Partial<Row> = {}, devices?: number): Row => ({
  name,
  units,
  exit: [0, 1],
  args(place, n, tag) {
    const all = devices ?? n;
    const row = (i: number) => ({ name: serial(i), vendor: "example.com", class: "b", floor: 0, keys: ["A.jwk"] });
    const secret = (i: number) => ({ kty: "oct", kid: serial(i), k: Buffer.from(statusSecret(i)).toString("base64url") });
    const nonce = (i: number) => ({ device: serial(i), nonce: Buffer.from(statusNonce(i)).toString("hex"), sent: "2026-01-01T00:00:00Z" });
    place.put(`${tag}.jsonl`, jsonLines(all, row));
    place.put(`${tag}.sent`, jsonLines(all, nonce));
    place.put(`${tag}.jwks`, JSON.stringify({ keys: repeat(all, secret) }));
    place.put(`${tag}.answers`, answers(n));
    const keys = ["--nonces", `${tag}.sent`, "--secret", `${tag}.jwks`];
    return ["status", "collect", `${tag}.answers`, ...keys, "--fleet", `${tag}.jsonl`, "--out", `${tag}.new.jsonl`, "--json"];
  },
  ...more,
});

/** An array in an array, and so on, in place of the claims. */
const nested = (n: number) => Uint8Array.from([0xd1, 0x84, ...repeat(n, () => 0x81), 0]);

export const STATUSES: Row[] = [
  onStatuses("status collect: devices", 500, (n) => jsonLines(n, (i) => statusLine(statusOf(i)))),
  onStatuses("status collect: a device that answers again and again", 1_000, (n) => jsonLines(n, () => statusLine(statusOf(1))), {}, 3),
  onStatuses("status collect: statuses by nobody", 2_000, (n) => jsonLines(n, (i) => statusLine(statusOf(i + 5))), {}, 3),
  onStatuses("status collect: statuses that are none", 10_000, (n) => jsonLines(n, () => ({ status: "*" })), {}, 3),
  onStatuses("status collect: arrays in arrays", 5_000, (n) => jsonLines(1, () => statusLine(nested(n))), { long: 8_000 }, 3),
  onStatuses("status collect: empty lines", 500_000, (n) => "\n".repeat(n), {}, 3),
  onStatuses("status collect: a long line", 1_000_000, (n) => `{"status":"${"A".repeat(n)}"}\n`, {}, 3),
  onStatuses("status collect: brackets", 10_000, (n) => `${"[".repeat(n)}\n`, { long: 12_000 }, 3),
  {
    name: "status ask: devices",
    units: 5_000,
    long: 20_000,
    exit: [0],
    async args(place, n, tag) {
      await trustFile(place);
      place.put(
        `${tag}.csv`,
        fleetCsv(n, (i) => `c${i},b,1`),
      );
      return ["status", "ask", "--fleet", `${tag}.csv`, "--out", "-", "--json"];
    },
  },
];

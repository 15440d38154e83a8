import { exportAll, exportRole } from "@firmseal/release";
// firmseal trust show, verify, export: what a trust file says, whether it is good, and what a device embeds of it.

import type { PassphraseOptions } from "@firmseal/keys";
import { usage, visible, warnOfTestKeys } from "@firmseal/keys";
import { anchorFacts, keysOf, limitWords, rootProgress, trustAt, trustName, verifiedTrust } from "@firmseal/release";
import { ROLES, toHex, trustSigners } from "@firmseal/signer";
import { decimal } from "@firmseal/verifier/number";
import { checkOutput, checkTrustOutput, deliver } from "../../common/output.js";
import { data, json, say } from "../../show/ui.js";

/** Shows what a trust file says, and whose signatures it has. Whether those are the right roots is another question: verify. */
export function show(path: string, o: { json?: boolean }): void {
  const { bytes, store, claims } = trustAt(path);
  const testKeys = warnOfTestKeys(keysOf(store));
  const has = new Set(trustSigners(bytes, keysOf(store)).map((k) => toHex(k.key)));
  const all = store.anchors.map((a) => ({ ...anchorFacts(a), signed: has.has(toHex(a.key)) }));
  const roots = rootProgress(bytes, store);
  const thresholds = Object.fromEntries(
    Object.entries(ROLES).flatMap(([role, code]) => (store.thresholds[code] ? [[role, store.thresholds[code]]] : [])),
  );
  const facts = {
    name: trustName(store),
    sequence: decimal(store.sequence),
    thresholds,
    anchors: all,
    signatures: claims.length,
    roots,
    testKeys,
  };
  if (o.json) {
    json({ ok: true, code: 0, ...facts });
    return;
  }
  const limits = (a: (typeof all)[number]) => [...limitWords(a), ...(a.signed ? ["has signed"] : [])].join(", ");
  const lines = [
    `name      ${visible(facts.name)}`,
    `sequence  ${facts.sequence}`,
    ...Object.entries(thresholds).map(
      ([role, n]) => `${role.padEnd(9)} ${n} of ${all.filter((a) => (a.roles as string[]).includes(role)).length} needed`,
    ),
    ...all.map((a) => `  ${a.roles.join("+").padEnd(17)} ${a.alg.padEnd(8)} ${(a.thumbprint ?? "-").slice(0, 16)}  ${limits(a)}`.trimEnd()),
    `signed    by ${roots.signed} ${roots.signed === 1 ? "root" : "roots"} (needed: ${roots.needed})`,
  ];
  data(`${lines.join("\n")}\n`);
}

export interface VerifyOptions extends PassphraseOptions {
  root?: string[];
  previous?: string;
  json?: boolean;
}

const pins = ({ previous, ...o }: VerifyOptions) => ({ ...o, ...(previous !== undefined && { previousTrust: previous }) });

/** Verifies a trust file as a device does that has the root keys, or the file before. */
export async function verify(path: string, o: VerifyOptions): Promise<void> {
  const { store, pinned } = await verifiedTrust(path, pins(o));
  const testKeys = warnOfTestKeys(keysOf(store));
  const facts = { name: trustName(store), sequence: decimal(store.sequence), pinned, anchors: store.anchors.map(anchorFacts), testKeys };
  if (o.json) json({ ok: true, code: 0, reason: "OK", ...facts });
  else
    say(
      `${visible(path)}: good, ${visible(facts.name)}, sequence number ${facts.sequence}, ${store.anchors.length} keys${pinned ? "" : "; its roots are not pinned"}`,
    );
}

export interface ExportOptions extends VerifyOptions {
  format: "js" | "h" | "bin";
  role?: "release" | "debug" | "recovery";
  vendor?: string;
  class?: string;
  out: string;
}

/** Writes what a device embeds: the file, or the keys of one role. */
export async function exportTrust(path: string, o: ExportOptions): Promise<void> {
  const { store, bytes } = await verifiedTrust(path, pins(o));
  warnOfTestKeys(keysOf(store));
  if (o.role === undefined && (o.vendor !== undefined || o.class !== undefined))
    throw usage("--vendor and --class choose the keys of one role", "give --role as well, or drop them");
  if (o.role !== undefined && o.format === "bin") throw usage("--format bin: is the whole file", "drop --role, or take js or h");
  const ending = o.format === "bin" ? "" : `.${o.format}`;
  if (o.out !== "-" && !o.out.endsWith(ending))
    throw usage(`--out ${o.out}: is no name for ${o.format}`, `choose a name that ends in ${ending}`);
  if (ending === "") checkTrustOutput(o.out, [path]);
  else checkOutput(o.out, "--out", [path], false);
  const content = o.role === undefined ? exportAll(bytes, store, o.format) : exportRole(store, o.role, o.format as "js" | "h", o, path);
  const member = deliver(o.out, content, o.json);
  if (o.json)
    json({
      ok: true,
      code: 0,
      out: o.out,
      format: o.format,
      bytes: content.length,
      ...member,
    });
  else if (o.out !== "-") say(`${visible(o.out)}: ${content.length} bytes`);
}

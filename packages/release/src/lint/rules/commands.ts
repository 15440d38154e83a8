// Rules about what devices do with a release.

import { type Action, componentWords, type Explained, whoWords } from "@firmseal/behaviour";
import { someOf, visible } from "@firmseal/keys/internal";
import { PARAM_URI } from "@firmseal/verifier/tools";
import { allParameters } from "../../verify/tree.js";
import { deadAlternatives } from "../alternatives.js";
import type { LintContext, Rule } from "../rule.js";

/** Transfers that anybody on the way can change. */
const PLAIN = /^(http|coap|ftp|tftp):\/\//i;

const WRITES: readonly Action["what"][] = ["fetch", "write", "copy", "swap"];
const READS_BACK: readonly Action["what"][] = ["compare", "check-content"];

function plainUris({ release }: LintContext): string[] {
  const behaviours = release.explained?.behaviours ?? [];
  const withoutDigest = behaviours.some(({ refused }) => refused?.reason === "DIGEST_UNSET");
  if (!withoutDigest) return [];
  const checked = new Set(behaviours.flatMap(({ install }) => install.flatMap(({ uri, digest }) => (uri && digest ? [uri] : []))));
  const named = release.sections.flatMap((section) =>
    [...allParameters(section)].filter((p) => p.code === PARAM_URI).map((p) => String(p.value)),
  );
  return [...new Set(named)]
    .filter((uri) => PLAIN.test(uri) && !checked.has(uri))
    .map((uri) => `the release fetches ${uri} and sets no digest for it`);
}

/** The components that a device writes and then never compares, neither before it commits nor when it starts. */
function unverified({ behaviours, components }: Explained): string[] {
  const out = new Set<string>();
  for (const { install, start, ...who } of behaviours) {
    // nothing of an installation that is refused is kept
    if (who.refused?.during === "install") continue;
    const last = new Map<number, number>();
    for (const [i, { what, component, source }] of install.entries())
      if (WRITES.includes(what)) {
        last.set(component, i);
        if (what === "swap") last.set(source as number, i);
      }
    for (const [component, i] of last) {
      const later = [...install.slice(i + 1), ...start];
      if (!later.some((action) => action.component === component && READS_BACK.includes(action.what)))
        out.add(`component ${componentWords(components[component] ?? [])} is written and never compared (${whoWords(who)})`);
    }
  }
  return [...out];
}

const accepted = ({ release }: LintContext) => release.explained?.behaviours.filter(({ refused }) => !refused) ?? [];

/** The devices that install the release and whose sections start nothing. */
function unstarted(context: LintContext): string[] {
  const all = accepted(context);
  const out = all.filter(({ start }) => !start.some(({ what }) => what === "start"));
  if (out.length === 0) return [];
  return out.length === all.length
    ? ["no section starts a component"]
    : out.map((who) => `no section starts a component (${whoWords(who)})`);
}

/** Whether only devices that already have the images accept the release, because it brings none. */
function bringsNothing(context: LintContext): boolean {
  const others = context.release.explained?.behaviours.filter(({ has }) => has === false) ?? [];
  return (
    others.length > 0 &&
    others.every(({ refused }) => refused?.during === "install") &&
    !accepted(context).some(({ install }) => install.some(({ what }) => WRITES.includes(what)))
  );
}

export const commandRules: readonly Rule[] = [
  {
    id: "L30",
    name: "refused",
    severity: "error",
    title: "Every device refuses the release, unless it has several vendors or classes",
    why: "It can be signed and published, but no device with one vendor and one class installs it.",
    fix: "firmseal explain FILE shows what devices do; correct the description.",
    check: ({ release }) => (release.refusal ? [`${release.refusal.words} (${release.refusal.reason})`] : []),
  },
  {
    id: "L31",
    name: "plain-transfer",
    severity: "error",
    title: "A payload is fetched in plain text, and no digest is set for it",
    why: "Without TLS and without a digest, anybody on the network path decides what the device gets.",
    fix: "Set image-digest and image-size before the fetch. With them, plain HTTP is enough.",
    check: plainUris,
  },
  {
    id: "L32",
    name: "dead-alternative",
    severity: "warning",
    title: "An alternative can never run",
    why: "An earlier alternative runs on every device that it matches. Devices do not get the intended image.",
    fix: "Correct the class, device or slot of one of the two, or remove the later one.",
    check: ({ release }) =>
      release.sections
        .flatMap(deadAlternatives)
        .map(({ alternative, of, because }) => `alternative ${alternative} of ${of} never runs: alternative ${because} runs in its place`),
  },
  {
    id: "L33",
    name: "never-verified",
    severity: "error",
    title: "A component is written and never verified",
    why: "Worn flash or a failed write is noticed only when the image fails.",
    fix: "Compare it: condition-image-match in the validate section, and after the fetch.",
    check: ({ release }) => (release.explained ? unverified(release.explained) : []),
  },
  {
    id: "L34",
    name: "power-cut",
    severity: "error",
    title: "An installation does not survive power cuts, or what it installs does not start",
    why: "A device whose power fails at the wrong moment does not start, or can no longer be updated.",
    fix: "firmseal simulate FILE --device files shows each cut. It must be possible to repeat an interrupted installation.",
    needs: ["cuts"],
    check: ({ cuts }) => {
      if (!cuts || cuts.faults === 0) return [];
      return [cuts.cuts === 0 ? String(cuts.first) : `${cuts.faults} power cuts end badly; the first: ${cuts.first}`];
    },
  },
  {
    id: "L35",
    name: "payload-missing",
    severity: "note",
    title: "A payload is missing, so it is not checked",
    why: "Rules about images cannot check it. The place where devices fetch it may have no file, or a different one.",
    fix: "Put it beside the envelope under the last part of its URI, or give it: --payload FILE.",
    check: ({ release }) => (release.unseen.length > 0 ? [`not checked: ${visible(someOf(release.unseen))}`] : []),
  },
  {
    id: "L36",
    name: "never-started",
    severity: "warning",
    title: "No section starts the release",
    why: "A device installs it, verifies it at each start, and has nothing to run.",
    fix: "Add directive-invoke to the invoke section. If other code starts the component, waive the rule.",
    check: unstarted,
  },
  {
    id: "L37",
    name: "installs-nothing",
    severity: "warning",
    title: "The release installs nothing, and devices without its image refuse it",
    why: "Only devices that already have the image accept it. A new device can never get it from this release.",
    fix: "Fetch or write the image in the install section, before it is compared.",
    check: (context) => (bringsNothing(context) ? ["no component is written, and a device without the image refuses the release"] : []),
  },
];

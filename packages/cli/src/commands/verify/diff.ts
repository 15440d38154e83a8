import { visible } from "@firmseal/keys";
import { type BehaviourChange, type Difference, difference, explain, readEnvelopeFile } from "@firmseal/release";
import { whoWords } from "@firmseal/report";
import { commandArgument, define } from "../../command.js";
import { DEVICES, membersOf } from "../../common/shapes.js";

async function diffReleases(before: string, after: string) {
  const read = (path: string) => explain(readEnvelopeFile(path));
  return { verified: false, ...difference(await read(before), await read(after)) };
}

function changeLines(change: BehaviourChange): string[] {
  return [`${whoWords(change)}:`, ...change.before.map((line) => `  - ${line}`), ...change.after.map((line) => `  + ${line}`)];
}

/** A difference in words. */
export function differenceLines({ sequence, components, devices, images, behaviour }: Difference): string[] {
  const same = sequence.before === sequence.after;
  const deviceLine = (what: string) => (d: { vendor: string; class: string }) => `${what} devices of vendor ${d.vendor}, class ${d.class}`;
  const lines = [
    same ? `sequence number ${sequence.before} in both` : `sequence number ${sequence.before} before, ${sequence.after} after`,
    ...components.gone.map((name) => `no longer the component ${name}`),
    ...components.new.map((name) => `new: the component ${name}`),
    ...devices.gone.map(deviceLine("no longer for")),
    ...devices.new.map(deviceLine("new: for")),
    ...images.map(
      ({ component, before, after }) => `image of component ${component}: before ${before.join("; ")}; after ${after.join("; ")}`,
    ),
    ...behaviour.flatMap(changeLines),
  ];
  return lines.length === 1 ? [...lines, "nothing else changes for a device"] : lines;
}

export default define({
  name: "diff",
  summary: "tell what changes for devices between two releases, without verifying signatures",
  arguments: [commandArgument("<before>", "envelope of the earlier release"), commandArgument("<after>", "envelope of the later one")],
  examples: [
    ["firmseal diff fw-1.4.1.suit fw-1.4.2.suit", "in words"],
    ["firmseal diff fw-1.4.1.suit fw-1.4.2.suit --json", "for a script"],
  ],
  json: {
    verified: ["boolean", "false: signatures are not verified"],
    sequence: ["object", "sequence numbers"],
    ...membersOf("sequence", { before: ["string", "of the earlier release"], after: ["string", "of the later one"] }),
    components: ["object", "components that only one of the releases has"],
    ...membersOf("components", { gone: ["string[]", "only the earlier one"], new: ["string[]", "only the later one"] }),
    devices: ["object", "devices that only one of the releases is for"],
    ...membersOf("devices", { gone: ["object[]", "only the earlier one"], new: ["object[]", "only the later one"] }),
    images: ["object[]", "components whose content changes"],
    ...membersOf("images[]", {
      component: ["string", "name of the component"],
      before: ["string[]", "its contents only with the earlier release: length and the beginning of the digest"],
      after: ["string[]", "only with the later one"],
    }),
    behaviour: ["object[]", "what devices do otherwise"],
    ...membersOf("behaviour[]", {
      devices: ["object[]", "the devices"],
      ...membersOf("devices[]", DEVICES),
      "slot?": ["number", "slot, if the release distinguishes slots"],
      "has?": ["boolean", "whether the devices have the images of the release already"],
      before: ["string[]", "what they do only with the earlier release"],
      after: ["string[]", "what they do only with the later one"],
    }),
  },
  run: diffReleases,
  words: (f) => [
    {
      text: differenceLines(f)
        .map((line) => visible(line))
        .join("\n"),
    },
  ],
});

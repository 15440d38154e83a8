// Descriptions that some devices of example.com take, and others refuse.

const isClass = (id: string, more: string[] = []) => [
  { "directive-override-parameters": { "class-identifier": id } },
  "condition-class-identifier",
  ...more,
];

const [V2, V3] = ["7ef25e26-57d5-563d-bec7-161eb72060bb", "d041272d-edb5-558c-998f-144424bbea1f"] as const;

/** A description for devices of this vendor on which `conditions` hold. */
const described = (conditions: readonly unknown[], before: readonly unknown[] = []) => ({
  $schema: "urn:firmseal:manifest:1",
  sequence: 3,
  components: [[{ hex: "00" }]],
  "shared-sequence": [
    { "directive-override-parameters": { "vendor-identifier": "cfbff0d1-9375-5685-968c-48ce8b15ae17" } },
    "condition-vendor-identifier",
    ...conditions,
    { "directive-override-parameters": { uri: "#f", image: { payload: "#f" } } },
  ],
  install: [...before, "directive-fetch", "condition-image-match"],
  validate: ["condition-image-match"],
  invoke: ["directive-invoke"],
  payloads: { "#f": "#f" },
});

/** Devices of class board-v2 take it, and those of board-v3 refuse it. */
export const REFUSED_BY_ONE_CLASS = described(
  [{ "directive-try-each": [isClass(V2), isClass(V3)] }],
  [{ "directive-try-each": [isClass(V2), isClass(V3, ["condition-abort"])] }],
);

/** Only devices of both classes take it. */
export const FOR_BOTH_CLASSES = described([...isClass(V2), ...isClass(V3)]);

/** Only devices that install in this slot take it. */
export const forSlot = (slot: number) =>
  described([...isClass(V2), { "directive-override-parameters": { "component-slot": slot } }, "condition-component-slot"]);

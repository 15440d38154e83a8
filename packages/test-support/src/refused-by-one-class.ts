// A description that devices of class board-v2 of example.com take, and those of board-v3 refuse.

const isClass = (id: string, more: string[] = []) => [
  { "directive-override-parameters": { "class-identifier": id } },
  "condition-class-identifier",
  ...more,
];

const [V2, V3] = ["7ef25e26-57d5-563d-bec7-161eb72060bb", "d041272d-edb5-558c-998f-144424bbea1f"] as const;

export const REFUSED_BY_ONE_CLASS = {
  $schema: "urn:firmseal:manifest:1",
  sequence: 3,
  components: [[{ hex: "00" }]],
  "shared-sequence": [
    { "directive-override-parameters": { "vendor-identifier": "cfbff0d1-9375-5685-968c-48ce8b15ae17" } },
    "condition-vendor-identifier",
    { "directive-try-each": [isClass(V2), isClass(V3)] },
    { "directive-override-parameters": { uri: "#f", image: { payload: "#f" } } },
  ],
  install: [{ "directive-try-each": [isClass(V2), isClass(V3, ["condition-abort"])] }, "directive-fetch", "condition-image-match"],
  validate: ["condition-image-match"],
  invoke: ["directive-invoke"],
  payloads: { "#f": "#f" },
};

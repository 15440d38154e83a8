// Commands whose standard input never ends.

import { FACTS } from "../../../../../test-support/src/command-line/run.js";
import type { Row } from "../budget.js";
import { envelope, sequence } from "../budget-inputs.js";
import { fleetCsv, trustFile } from "./common.js";

const without = (name: string, args: readonly string[], exit: readonly number[] = [1, 2, 3]): Row => ({
  name,
  units: 1,
  exit,
  args: () => args,
});

export const STDIN: Row[] = [
  without("inspect", ["inspect", "-"]),
  without("verify", ["verify", "-", "--key", "A.jwk"]),
  without("whosigned", ["whosigned", "-", "--key", "A.jwk"]),
  without("sign an image", ["sign", "-", "--key", "A.pem", ...FACTS, "--seq", "1", "--out", "o.suit"]),
  without("sign an image that stays outside", [
    "sign",
    "-",
    "--key",
    "A.pem",
    ...FACTS,
    "--seq",
    "1",
    "--uri",
    "http://x/y",
    "--out",
    "o.suit",
  ]),
  without("tbs", ["tbs", "-", "--key", "A.jwk", "--envelope-out", "e.suit", "--out", "x.tbs"]),
  without("create", ["create", "--from", "-", "--out", "o.suit"]),
  without("attach an envelope", ["attach", "-", "--key", "A.jwk", "--signature", "fw.bin", "--out", "o.suit"]),
  {
    ...without("attach a signature", []),
    async args(place) {
      place.put("fw.suit", await envelope({ sections: [[20, sequence([[14, 0]])]] }));
      return ["attach", "fw.suit", "--key", "A.jwk", "--signature", "-"];
    },
  },
  without("install", ["install", "-", "--key", "A.jwk", "--dir", "d", ...FACTS]),
  without("simulate", ["simulate", "-", "--key", "A.jwk", "--device", "memory"]),
  without("pubkey", ["pubkey", "-"]),
  without("trust create", ["trust", "create", "--from", "-"]),
  without("trust show", ["trust", "show", "-"]),
  without("rotate plan", ["rotate", "plan", "--fleet", "-", "--release", "fw.bin"]),
  {
    ...without("rotate plan, a step", []),
    async args(place) {
      await trustFile(place);
      place.put(
        "f.csv",
        fleetCsv(1, () => "c,b,1"),
      );
      return ["rotate", "plan", "--fleet", "f.csv", "--release", "-"];
    },
  },
];

// Names of simulated devices.

import { inWords } from "@firmseal/signer";
import { DEVICES } from "@firmseal/simulator";

/** "flash, storage, files or memory". `isMicro`: those with a micro verifier. */
export const devicesWith = (isMicro: boolean): string =>
  inWords(Object.entries(DEVICES).flatMap(([name, device]) => (device.isMicro === isMicro ? [name] : [])));

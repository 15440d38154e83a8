// The chips with Secure Boot v2, by the chip_id of the image header (esp_app_format.h of ESP-IDF).

import type { FormatKeyKind } from "../key/key.js";

export interface Chip {
  readonly name: string;
  /** The kinds of keys whose signatures the chip verifies (SOC_SECURE_BOOT_V2_* and SOC_ECDSA_* of ESP-IDF). */
  readonly keys: readonly FormatKeyKind[];
  /** How many signature blocks the boot loader reads. */
  readonly blocks: number;
}

const RSA: readonly FormatKeyKind[] = ["rsa3072"];
const ECDSA: readonly FormatKeyKind[] = ["p192", "p256"];

/** By chip_id. */
export const CHIPS: { readonly [id: number]: Chip } = {
  0: { name: "esp32", keys: RSA, blocks: 1 },
  2: { name: "esp32s2", keys: RSA, blocks: 3 },
  5: { name: "esp32c3", keys: RSA, blocks: 3 },
  9: { name: "esp32s3", keys: RSA, blocks: 3 },
  12: { name: "esp32c2", keys: ECDSA, blocks: 1 },
  13: { name: "esp32c6", keys: [...RSA, ...ECDSA], blocks: 3 },
  16: { name: "esp32h2", keys: [...RSA, ...ECDSA], blocks: 3 },
  18: { name: "esp32p4", keys: [...RSA, ...ECDSA, "p384"], blocks: 3 },
  20: { name: "esp32c61", keys: ECDSA, blocks: 3 },
  23: { name: "esp32c5", keys: [...RSA, ...ECDSA, "p384"], blocks: 3 },
};

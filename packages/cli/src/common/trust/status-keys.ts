// The keys with which devices authenticate their statuses.

import { anchors, publicKeys } from "@firmseal/keys";
import { passphraseOptions, usage } from "@firmseal/keys/internal";
import { readStatusSecrets } from "@firmseal/release/internal";
import type { Anchor } from "@firmseal/verifier";

export interface StatusKeyOptions {
  secret?: string;
  key?: string[];
}

/** The keys of the devices. Throws a usage Failure unless one of the options is given. */
export async function statusAnchors(o: StatusKeyOptions): Promise<Anchor[]> {
  if (!o.secret === !o.key)
    throw usage("give the device's secret, or its public key", "--secret FILE for a MAC, --key PUB for a signature");
  return o.secret ? readStatusSecrets(o.secret) : anchors(await publicKeys(o.key as string[], passphraseOptions({})));
}

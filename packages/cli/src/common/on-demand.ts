// What sign and verify need only for a product file, or for a micro verifier. They load it when it is asked for: a command
// without either starts faster.

import { boardInput, checkDraftForMicro, checkForMicro, readProduct, signingKeys, verifyProduct } from "@firmseal/release";

export const onDemand = { boardInput, checkDraftForMicro, checkForMicro, readProduct, signingKeys, verifyProduct };

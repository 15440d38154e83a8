// What commands need only for a product file, or for a micro verifier: on-demand.ts loads it.

import {
  boardInput,
  boardsOf,
  checkDraftForMicro,
  checkForMicro,
  productNames,
  readProduct,
  signingKeys,
  trustOptions,
  verifyProduct,
} from "@firmseal/release";

export const parts = {
  boardInput,
  boardsOf,
  checkDraftForMicro,
  checkForMicro,
  productNames,
  readProduct,
  signingKeys,
  trustOptions,
  verifyProduct,
};

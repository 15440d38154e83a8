// What commands need only for a product file, or for a consumer: on-demand.ts loads it.

export {
  boardInput,
  boardsOf,
  checkDraftFor,
  checkFor,
  consumerOf,
  coseAlgFor,
  namesFault,
  productNames,
  readProduct,
  recipeFor,
  signingKeys,
  trustOptions,
  verifyProduct,
  withCoseAlgs,
} from "@firmseal/release";

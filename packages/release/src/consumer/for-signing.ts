// What signing needs for a consumer or a choice of algorithms: most releases are for neither.

export { consumerOf } from "./consumers.js";
export { namesFault, withCoseAlgs } from "./cose-alg.js";
export { checkDraftFor, checkFor } from "./judge.js";
export { recipeFor } from "./recipe.js";

// Language tags of texts (M37 §8.4.4).

/** The form of a language tag (RFC 9290, tag38-ltag). A test compares it with the schema of descriptions. */
export const LANGUAGE_TAG = /^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$/;

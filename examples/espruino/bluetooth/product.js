// What this page updates: the same values as in the Storage file "update" of the boards.

/** The UUIDs of vendor example.com and of its class board-v2, as `firmseal inspect` shows them. */
export const VENDOR = "cfbff0d1-9375-5685-968c-48ce8b15ae17";
export const CLASS = "7ef25e26-57d5-563d-bec7-161eb72060bb";

/** Bytes of an app, at most. */
export const MOST = 12000;

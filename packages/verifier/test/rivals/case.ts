/** One signature to decide on. */
export interface Case {
  /** What is the matter with it. */
  kind: string;
  key: Uint8Array;
  message: Uint8Array;
  signature: Uint8Array;
}

/** What makes cases, and who decides on them. */
export interface Contest {
  /** The next case. */
  next(): Case;
  ours(c: Case): boolean;
  /** Others, by name: what they say, and one in how many cases they are asked. */
  rivals: Record<string, { verify(c: Case): boolean; oneIn: number }>;
  /** Whether this verifier refuses the case by itself, whatever others say. */
  refuses(c: Case): boolean;
}

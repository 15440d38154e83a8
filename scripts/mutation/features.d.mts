/** The constants that are false, and full names of tests that do not hold with them. */
export declare function board(): { off: string[]; skipped: string[] };
export declare function featuresWithout(text: string, off: readonly string[]): string;

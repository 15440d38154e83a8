// Says that the page is at work, so that a screen reader waits until it has settled.

let works = 0;

/** The page is busy while `work` runs. */
export async function during<T>(work: () => Promise<T>): Promise<T> {
  const main = document.getElementById("inspector");
  works++;
  main?.setAttribute("aria-busy", "true");
  try {
    return await work();
  } finally {
    works--;
    if (works === 0) main?.setAttribute("aria-busy", "false");
  }
}

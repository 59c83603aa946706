/** Chance that at least one of k attempts succeeds, from c successes in n attempts (Chen et al. 2021, unbiased). */
export function passAtK(attempts: number, successes: number, k: number): number {
  check(attempts, k);
  return 1 - chooseRatio(attempts - successes, attempts, k);
}

/** Chance that all of k attempts succeed (pass^k, τ-bench). */
export function passHatK(attempts: number, successes: number, k: number): number {
  check(attempts, k);
  return chooseRatio(successes, attempts, k);
}

/** C(a, k) / C(b, k) without large numbers. */
function chooseRatio(a: number, b: number, k: number): number {
  let ratio = 1;
  for (let index = 0; index < k; index++) ratio *= Math.max(0, a - index) / (b - index);
  return ratio;
}

function check(attempts: number, k: number): void {
  if (!(k >= 1 && k <= attempts))
    throw new RangeError(`expected k between 1 and ${attempts} attempts, got ${k}`);
}

/** What a list of times comes down to. */

/**
 * @param {number[]} values at least one
 * @param {number} share 0 to 1
 * @returns {number} the smallest value that at least this share of the values does not exceed (nearest rank)
 */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

/** @param {number[]} values at least one */
export function summary(values) {
  return { min: quantile(values, 0), median: quantile(values, 0.5), p95: quantile(values, 0.95), max: quantile(values, 1) };
}

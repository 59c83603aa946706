/**
 * Runs `work` over items with at most `limit` at a time and returns the results in the items' order. The first
 * failure stops new work, waits for what is running, and is thrown.
 */
export async function mapPool<Item, Result>(
  items: Iterable<Item>,
  limit: number,
  work: (item: Item, index: number) => Promise<Result>,
  signal?: AbortSignal,
): Promise<Result[]> {
  const results: Result[] = [];
  const iterator = items[Symbol.iterator]();
  let nextIndex = 0;
  let failure: { error: unknown } | undefined;

  const worker = async () => {
    while (!failure) {
      const entry = iterator.next();
      if (entry.done) return;
      const index = nextIndex++;
      try {
        signal?.throwIfAborted();
        results[index] = await work(entry.value, index);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, limit) }, worker));
  if (failure) throw failure.error;
  return results;
}

/**
 * The original takes the parser's byte offsets for positions in a text of characters, so behind the first character
 * beyond ASCII everything comes out shifted.
 */
export function shiftedSlice(source: string): (start: number, end: number) => string {
  if (Buffer.byteLength(source) === source.length) return (start, end) => source.slice(start, end);
  const characters = Array.from(source);
  const offsets = new Map<number, number>();
  let [unit, byte] = [0, 0];
  for (const character of characters) {
    offsets.set(unit, byte);
    unit += character.length;
    byte += Buffer.byteLength(character);
  }
  offsets.set(unit, byte);
  return (start, end) => characters.slice(offsets.get(start) ?? byte, offsets.get(end) ?? byte).join("");
}

/**
 * The byte ↔ character table of byte-level BPE (Radford et al. 2019): printable Latin-1 bytes stand for
 * themselves, the rest for characters from U+0100 on, so that every byte has a visible spelling.
 */
const isPrintable = (byte: number) =>
  (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);

export const byteCharacters: readonly string[] = (() => {
  let spare = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(isPrintable(byte) ? byte : spare++));
})();

const bytesByCharacter = new Map(byteCharacters.map((character, byte) => [character, byte]));

/** The bytes that a token of a byte-level vocabulary spells, or undefined where it is not one. */
export function spellingToBytes(spelling: string): Uint8Array | undefined {
  const bytes: number[] = [];
  for (const character of spelling) {
    const byte = bytesByCharacter.get(character);
    if (byte === undefined) return undefined;
    bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

export function textToSpelling(text: string): string {
  let spelling = "";
  for (const byte of Buffer.from(text)) spelling += byteCharacters[byte];
  return spelling;
}

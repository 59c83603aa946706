const ignored = /[ ,./\-_*^]/;

/** How single-turn texts are compared: without space and `,./-_*^`, in lower case, with one kind of quote. */
export function standardText(text: string): string {
  const bare = ignored.test(text) ? text.replace(/[ ,./\-_*^]+/g, "") : text;
  const lower = bare.toLowerCase();
  return lower.includes("'") ? lower.replaceAll("'", '"') : lower;
}

// By code of ASCII: the code that stands for it, or that it is dropped.
const dropped = 1;
const standardCodes = new Uint8Array(128).map((_, code) => {
  const text = standardText(String.fromCharCode(code));
  return text === "" ? dropped : text.charCodeAt(0);
});

/** Whether a text, standardised, is this standard text; plain texts are compared without making another. */
export function isStandard(text: string, standard: string): boolean {
  let at = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    // Beyond ASCII what a letter becomes in lower case can depend on its neighbours.
    if (code >= 128) return standardText(text) === standard;
    const mapped = standardCodes[code] as number;
    if (mapped === dropped && code !== dropped) continue;
    if (standard.charCodeAt(at) !== mapped) return false;
    at++;
  }
  return at === standard.length;
}

/** How answers of the agentic categories are compared: spaces stay, parentheses go. */
export function standardAnswer(text: string): string {
  return toLower(text.replace(/[,./\-_*^()]/g, "")).replaceAll("'", '"');
}

/** Both languages lower-case by the full Unicode mapping with the final-sigma rule. */
function toLower(text: string): string {
  return text.toLowerCase();
}

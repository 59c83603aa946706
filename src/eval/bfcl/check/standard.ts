const ignored = /[ ,./\-_*^]/;

/** How single-turn texts are compared: without space and `,./-_*^`, in lower case, with one kind of quote. */
export function standardText(text: string): string {
  const bare = ignored.test(text) ? text.replace(/[ ,./\-_*^]+/g, "") : text;
  const lower = bare.toLowerCase();
  return lower.includes("'") ? lower.replaceAll("'", '"') : lower;
}

/** How answers of the agentic categories are compared: spaces stay, parentheses go. */
export function standardAnswer(text: string): string {
  return toLower(text.replace(/[,./\-_*^()]/g, "")).replaceAll("'", '"');
}

/** Both languages lower-case by the full Unicode mapping with the final-sigma rule. */
function toLower(text: string): string {
  return text.toLowerCase();
}

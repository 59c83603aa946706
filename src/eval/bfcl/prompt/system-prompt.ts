import type { PythonDict } from "../python/value.ts";
import { functionsText } from "./functions-text.ts";
import type { PromptVariation } from "./variation.ts";
import { callPatterns, styles, typeNotes } from "./wording.ts";

/** What a prompted model is told before the conversation: its functions, and how to call them. */
export function systemPrompt(variation: PromptVariation, functions: readonly PythonDict[]): string {
  const { returnFormat, tagged, documents, layout } = variation;
  const style = styles[variation.style];
  const pattern = callPatterns[returnFormat];
  const types = typeNotes[returnFormat];
  const format = tagged ? style.tagged(pattern, types) : style.untagged(pattern, types);
  const tools = style.tools(documents, functionsText(functions, documents));
  // Persona and task run into each other in plain text, as they do on the leaderboard.
  return layout === "plaintext"
    ? `${style.persona}${style.task}\n\n${format}\n\n${style.turns}\n\n${tools}`
    : `${style.persona}\n\n## Task\n${style.task}\n\n## Tool Call Format\n${format}\n\n## Multi-turn Behavior\n${style.turns}\n\n## Available Tools\n${tools}`;
}

import { AttuneError } from "../../../spec/error.ts";

export const promptFormats = ["python", "json", "verbose_xml", "concise_xml"] as const;

/** How a prompted model is told of its functions and of how to call them. */
export type PromptVariation = {
  /** How it is to write calls. */
  returnFormat: (typeof promptFormats)[number];
  /** Whether calls are to stand in `<TOOLCALL>…</TOOLCALL>`. */
  tagged: boolean;
  /** How the functions are described. */
  documents: "python" | "xml" | "json";
  layout: "plaintext" | "markdown";
  style: "classic" | "experimental";
};

/** What the leaderboard asks with everywhere but in its study of prompt variations. */
export const leaderboardPrompt: PromptVariation = {
  returnFormat: "python",
  tagged: false,
  documents: "json",
  layout: "plaintext",
  style: "classic",
};

/** The 26 of the prompt-variation study, in its order. */
export const promptVariations: readonly PromptVariation[] = [
  ...promptFormats.flatMap((returnFormat) =>
    [true, false].flatMap((tagged) =>
      (["python", "xml", "json"] as const).map((documents) => ({
        ...leaderboardPrompt,
        returnFormat,
        tagged,
        documents,
      })),
    ),
  ),
  { ...leaderboardPrompt, layout: "markdown" },
  { ...leaderboardPrompt, style: "experimental" },
];

/** `ret_fmt=…&tool_call_tag=…&func_doc_fmt=…&prompt_fmt=…&style=…`, as the leaderboard spells it in ids. */
export function variationText({ returnFormat, tagged, documents, layout, style }: PromptVariation): string {
  return `ret_fmt=${returnFormat}&tool_call_tag=${tagged ? "True" : "False"}&func_doc_fmt=${documents}&prompt_fmt=${layout}&style=${style}`;
}

const pattern =
  /^ret_fmt=(python|json|verbose_xml|concise_xml)&tool_call_tag=(True|False)&func_doc_fmt=(python|xml|json)&prompt_fmt=(plaintext|markdown)&style=(classic|experimental)$/;

/** Reads a return format alone (the rest as the leaderboard has it), or a variation as ids spell it. */
export function readVariation(text: string): PromptVariation {
  const returnFormat = promptFormats.find((format) => format === text);
  if (returnFormat !== undefined) return { ...leaderboardPrompt, returnFormat };
  const found = pattern.exec(text);
  if (found === null) {
    throw new AttuneError(
      "usage",
      `prompt: got "${text}", expected one of ${promptFormats.join(", ")} or ${variationText(leaderboardPrompt)} with other values`,
    );
  }
  const [, format, tag, documents, layout, style] = found;
  return { returnFormat: format, tagged: tag === "True", documents, layout, style } as PromptVariation;
}

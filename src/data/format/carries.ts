/** What a trajectory may hold that not every format has a place for. */
export const features = {
  branches: "several leaves: a retry, a sub-agent, a rewritten history",
  masks: "turns that no loss may look at, beside turns that it may",
  history: "turns that no loss may look at, all before the one that it may",
  cut: "a turn that broke off and whose end is not known",
  offered: "turns that were offered different tools",
  extra: "what messages held besides text and calls: images, reasoning, a provider's state",
  tools: "definitions of the tools",
  calls: "tool calls and their results",
  thoughts: "text beside tool calls in one turn",
  parallel: "several calls in one turn",
  system: "a system message, told apart from the user's",
  turns: "what happened after the prompt",
  ending: "what followed the last turn that a loss may look at, or a path without such a turn",
  failures: "which tool results are failures, and of what kind",
  tokens: "token ids",
  logprobs: "log-probabilities",
  rewards: "rewards and the status",
  task: "the task: its id, input and answer",
} as const;

export type Feature = keyof typeof features;

/**
 * `carried`: the format has a place for it. `refused`: without it a row would say something else, so a trajectory that
 * has it is refused unless an option says what to do. `told`: left out, counted and reported.
 */
export type Carriage = "carried" | "refused" | "told";

export type FormatName =
  | "atif"
  | "openai"
  | "trl"
  | "ms-swift"
  | "sharegpt"
  | "agent-instruct"
  | "verl"
  | "hugging-face"
  | "verifiers";

const text = {
  branches: "refused",
  masks: "refused",
  history: "refused",
  cut: "refused",
  offered: "refused",
  extra: "refused",
  tools: "carried",
  calls: "carried",
  thoughts: "carried",
  parallel: "carried",
  system: "carried",
  turns: "carried",
  ending: "told",
  failures: "told",
  tokens: "told",
  logprobs: "told",
  rewards: "told",
  task: "told",
} as const satisfies Record<Feature, Carriage>;

/** What becomes of each feature in each format. `docs/formats.md` shows the same table. */
export const carries: Record<FormatName, Record<Feature, Carriage>> = {
  atif: {
    ...text,
    masks: "carried",
    history: "carried",
    cut: "carried",
    extra: "carried",
    ending: "carried",
    failures: "carried",
    tokens: "carried",
    logprobs: "carried",
    rewards: "carried",
    task: "carried",
  },
  openai: { ...text, masks: "carried", history: "carried" },
  trl: { ...text, history: "carried" },
  "ms-swift": { ...text, masks: "carried", history: "carried" },
  sharegpt: { ...text, thoughts: "refused", parallel: "refused" },
  "agent-instruct": {
    ...text,
    masks: "carried",
    history: "carried",
    tools: "refused",
    calls: "refused",
    system: "told",
  },
  verl: { ...text, rewards: "carried", task: "carried" },
  "hugging-face": {
    ...text,
    masks: "carried",
    history: "carried",
    tokens: "carried",
    logprobs: "carried",
    rewards: "carried",
    task: "carried",
  },
  verifiers: {
    ...text,
    branches: "carried",
    masks: "carried",
    history: "carried",
    cut: "carried",
    offered: "carried",
    extra: "carried",
    ending: "carried",
    failures: "carried",
    tokens: "carried",
    logprobs: "carried",
    rewards: "carried",
    task: "carried",
  },
};

/** The vocabulary's fixed part and the chat template of models that Attune trains from random weights. */

export const nanoSpecialTokens = [
  "<|system|>",
  "<|user|>",
  "<|assistant|>",
  "<|tool|>",
  "<|end|>",
  "<tool_call>",
  "</tool_call>",
  "<answer>",
  "</answer>",
] as const;

/**
 * Messages one after the other with nothing between them. Tool schemas are left out: a model this small learns its
 * tools from demonstrations, and schemas would fill its context of 256 tokens.
 */
export const nanoChatTemplate = [
  "{%- for message in messages -%}",
  "{{ '<|' + message.role + '|>' + (message.content or '') }}",
  "{%- for call in message.tool_calls or [] -%}",
  `{{ '<tool_call>{"name":"' + call.function.name + '","arguments":' + call.function.arguments | tojson(separators=(',', ':')) + '}</tool_call>' }}`,
  "{%- endfor -%}",
  "{{ '<|end|>' }}",
  "{%- endfor -%}",
  "{%- if add_generation_prompt %}{{ '<|assistant|>' }}{% endif -%}",
].join("");

/** Files beside tokenizer.json that make a folder complete. */
export const nanoTokenizerConfig = {
  tokenizer_class: "PreTrainedTokenizerFast",
  eos_token: "<|end|>",
  chat_template: nanoChatTemplate,
  clean_up_tokenization_spaces: false,
} as const;

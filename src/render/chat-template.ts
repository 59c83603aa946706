import { Template } from "@huggingface/jinja";
import { AttuneError } from "../spec/error.ts";
import type { Message } from "../spec/message.ts";
import type { ToolSpec } from "../spec/tool.ts";

export type ChatTemplate = (
  messages: readonly Message[],
  options: { tools?: readonly ToolSpec[]; addGenerationPrompt: boolean },
) => string;

/** A Jinja chat template as Hugging Face folders carry it: messages and tools to text. */
export function createChatTemplate(
  source: string,
  variables: { bosToken?: string; eosToken?: string } = {},
): ChatTemplate {
  let template: Template;
  try {
    template = new Template(source);
  } catch (error) {
    throw new AttuneError("input", `chat template: ${(error as Error).message}`, { cause: error });
  }
  return (messages, { tools = [], addGenerationPrompt }) => {
    try {
      return template.render({
        messages: messages.map(toTemplateMessage),
        tools:
          tools.length > 0 ? tools.map((tool) => ({ type: "function", function: toFunction(tool) })) : null,
        add_generation_prompt: addGenerationPrompt,
        bos_token: variables.bosToken ?? "",
        eos_token: variables.eosToken ?? "",
      });
    } catch (error) {
      throw new AttuneError("input", `chat template: ${(error as Error).message}`, { cause: error });
    }
  };
}

function toFunction({ name, description, parameters }: ToolSpec) {
  return { name, description, parameters };
}

function toTemplateMessage(message: Message): Record<string, unknown> {
  if (message.role === "tool") {
    return { role: "tool", name: message.name, tool_call_id: message.callId, content: message.content };
  }
  if (message.role === "assistant" && message.toolCalls?.length) {
    return {
      role: "assistant",
      content: message.content,
      tool_calls: message.toolCalls.map((call) => ({
        id: call.id,
        type: "function",
        function: { name: call.name, arguments: call.arguments },
      })),
    };
  }
  return { role: message.role, content: message.content };
}

import type { CallToolResult, PromptMessage, Server } from "@modelcontextprotocol/server";
import type { Environment } from "../../spec/environment.ts";
import { AttuneError } from "../../spec/error.ts";
import type { JsonObject } from "../../spec/json.ts";
import type { Message } from "../../spec/message.ts";
import type { Grade, Moved } from "../openenv/hosted-episode.ts";
import type { ServedSession } from "./served-session.ts";

const taskUri = "attune://task";
const resultUri = "attune://result";

/** The server package is an optional dependency: it is looked for when it is needed. */
export async function loadServer() {
  try {
    return await import("@modelcontextprotocol/server");
  } catch (cause) {
    throw new AttuneError(
      "usage",
      "serving by MCP needs the package @modelcontextprotocol/server: install it",
      { cause },
    );
  }
}

/**
 * A session as an MCP server: the environment's tools and one to answer with, the first messages as the prompt
 * `task` and as a resource, the result as another. What the policy did wrong is an `isError` result; what the world
 * did is an error of the protocol.
 */
export function toMcpServer(
  Constructor: typeof Server,
  environment: Environment,
  { session, answerTool }: { session: ServedSession; answerTool: string },
): Server {
  const server = new Constructor(
    { name: environment.name, version: "1" },
    {
      capabilities: { tools: {}, prompts: {}, resources: {} },
      instructions:
        `${environment.description} Get the prompt "task" (or read ${taskUri}) for what to do, use the tools, and ` +
        `call ${answerTool} with the final answer.`,
    },
  );

  server.setRequestHandler("tools/list", async () => ({
    tools: [
      ...(await session.tools()).map(({ name, description, parameters }) => ({
        name,
        description,
        inputSchema: { ...parameters, type: "object" as const },
      })),
      {
        name: answerTool,
        description: "Says something to whoever gave the task. The final answer ends the episode.",
        inputSchema: {
          type: "object" as const,
          properties: { answer: { type: "string" } },
          required: ["answer"],
          additionalProperties: false,
        },
      },
    ],
  }));

  server.setRequestHandler("tools/call", async ({ params: { name, arguments: given = {} } }) => {
    if (name !== answerTool) return toResult(await session.call(name, given as JsonObject));
    const { answer } = given;
    if (typeof answer !== "string") return refusal("arguments/answer must be string");
    return toResult(await session.say(answer));
  });

  server.setRequestHandler("prompts/list", () => ({
    prompts: [{ name: "task", description: "What is to be done in this session." }],
  }));
  server.setRequestHandler("prompts/get", async ({ params: { name } }) => {
    if (name !== "task") throw new Error(`there is no prompt "${name}"; there is "task"`);
    return { messages: (await session.opening()).map(toPromptMessage) };
  });

  server.setRequestHandler("resources/list", () => ({
    resources: [
      {
        name: "task",
        uri: taskUri,
        mimeType: "application/json",
        description: "What the conversation starts with.",
      },
      {
        name: "result",
        uri: resultUri,
        mimeType: "application/json",
        description: "What the episode earned.",
      },
    ],
  }));
  server.setRequestHandler("resources/read", async ({ params: { uri } }) => {
    if (uri !== taskUri && uri !== resultUri)
      throw new Error(`there is no resource "${uri}"; there are ${taskUri} and ${resultUri}`);
    const value = uri === taskUri ? await session.opening() : (session.grade ?? { status: "running" });
    return { contents: [{ uri, mimeType: "application/json", text: JSON.stringify(value) }] };
  });
  return server;
}

function toResult({ text, failure, messages, grade }: Moved): CallToolResult {
  const said = [text, ...messages.map(({ content }) => content)].filter(Boolean).join("\n");
  const content = [said, grade && toLine(grade)]
    .filter((text) => text !== undefined && text !== "")
    .map((text) => ({ type: "text" as const, text: text! }));
  return {
    content,
    ...(failure && { isError: true }),
    ...(grade && { structuredContent: { ...grade } }),
  };
}

const toLine = (grade: Grade) => `the episode is over: ${JSON.stringify(grade)}`;

const refusal = (text: string): CallToolResult => ({
  content: [{ type: "text", text }],
  isError: true,
});

/** Prompts know no system messages: the user says those too. */
function toPromptMessage({ role, content }: Message): PromptMessage {
  return { role: role === "assistant" ? "assistant" : "user", content: { type: "text", text: content } };
}

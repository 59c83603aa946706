import { AttuneError } from "../../spec/error.ts";
import type { Json, JsonObject } from "../../spec/json.ts";
import type { TrajectoryNode } from "../../spec/trajectory.ts";
import { type Branch, callsOf, type Said } from "./branch.ts";
import { toFunction } from "./chat.ts";

/**
 * A path as an ATIF 1.7 document, in what all its readers accept: calls and metrics on agent steps only, no empty
 * step, always the system prompt and the tools. A turn that no loss may look at is `is_copied_context`.
 */
export function toAtif(branch: Branch): JsonObject {
  const { trajectory, number, of, path, said, tools } = branch;
  const { format: _format, nodes: _nodes, tools: _tools, ...record } = trajectory;
  const id = of > 1 ? `${trajectory.id}#${number}` : trajectory.id;
  const steps = toSteps(said, path, id);
  const sampled = path.filter((node) => node.sampled);
  const version = sampled.find(({ policyVersion }) => policyVersion !== null)?.policyVersion;
  return {
    schema_version: "ATIF-v1.7",
    session_id: id,
    trajectory_id: id,
    agent: {
      name: trajectory.player,
      version: version == null ? "unknown" : String(version),
      ...(tools.length > 0 && { tool_definitions: tools.map(toFunction) as Json[] }),
    },
    steps,
    final_metrics: {
      total_completion_tokens: sampled.reduce((total, { tokens }) => total + tokens.length, 0),
      total_steps: steps.length,
    },
    extra: { attune: record as unknown as JsonObject },
  };
}

function toSteps(said: readonly Said[], path: readonly TrajectoryNode[], id: string): JsonObject[] {
  const steps: JsonObject[] = [];
  let open = new Set<string>();
  let results: JsonObject[] = [];
  for (const each of said) {
    const { message, node } = each;
    if (message.role === "tool") {
      if (!open.has(message.callId))
        throw new AttuneError(
          "input",
          `trajectory ${id}, turn ${node.turn}: expected the result of a call of the turn before it, got ${JSON.stringify(message.callId)}`,
        );
      results.push({
        source_call_id: message.callId,
        content: message.content,
        extra: withoutUndefined({
          failure: message.failure,
          attune: node.extra === undefined ? undefined : { extra: node.extra },
        }),
      });
      steps.at(-1)!.observation = { results };
      continue;
    }
    const step: JsonObject = {
      step_id: steps.length + 1,
      source: sources[message.role],
      message: message.content,
    };
    const calls = callsOf(message);
    open = new Set(calls.map((call) => call.id));
    results = [];
    if (calls.length > 0)
      step.tool_calls = calls.map((call) => ({
        tool_call_id: call.id,
        function_name: call.name,
        arguments: call.arguments,
      }));
    if (message.role === "assistant") Object.assign(step, ofTurn(each, path));
    else if (node.extra !== undefined) step.extra = { attune: { extra: node.extra } };
    steps.push(step);
  }
  return steps;
}

const sources = { system: "system", user: "user", assistant: "agent" } as const;

function ofTurn({ node, learn }: Said, path: readonly TrajectoryNode[]): JsonObject {
  const reasoning = (node.extra as { reasoning_content?: unknown } | undefined)?.reasoning_content;
  const before = path.slice(0, path.indexOf(node));
  const known = (each: TrajectoryNode) => !each.gap?.includes("tokens");
  const prompt = before.every(known) ? before.flatMap(({ tokens }) => [...tokens]) : [];
  const ids = [...node.tokens];
  return {
    ...(typeof reasoning === "string" && { reasoning_content: reasoning }),
    ...(!learn && { is_copied_context: true }),
    ...(ids.length > 0 && {
      metrics: {
        ...(prompt.length > 0 && { prompt_tokens: prompt.length, prompt_token_ids: prompt }),
        completion_tokens: ids.length,
        completion_token_ids: ids,
        ...(node.logprobs && { logprobs: [...node.logprobs] }),
      },
    }),
    extra: {
      attune: withoutUndefined({
        sampled: node.sampled,
        policyVersion: node.policyVersion,
        stopReason: node.stopReason,
        gap: node.gap,
        extra: node.extra,
      }),
    },
  };
}

/** An object of what there is. */
function withoutUndefined(fields: Record<string, Json | undefined>): JsonObject {
  return Object.fromEntries(
    Object.entries(fields).filter((entry): entry is [string, Json] => entry[1] !== undefined),
  );
}

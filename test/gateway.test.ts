import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { expect, it } from "vitest";
import { createConversation } from "../src/gateway/conversation.ts";
import { serveGateway } from "../src/gateway/server.ts";
import { resolveLimits } from "../src/rollout/limits.ts";
import type { Trajectory } from "../src/spec/trajectory.ts";
import { byteRenderer } from "../src/testing/byte-tokenizer.ts";
import { scriptedPolicy } from "../src/testing/scripted-policy.ts";
import { readTrajectories } from "../src/trajectory/store.ts";

const root = join(import.meta.dirname, "..");

it.each([
  { asks: [], gaps: [["tokens"], ["tokens", "logprobs", "prompt"]] },
  { asks: ["--token-ids"], gaps: [undefined, undefined] },
])(
  "attune gateway records an agent in front of any OpenAI-compatible server, and says what it could not see: $asks",
  async ({ asks, gaps }) => {
    // the server behind is a gateway of its own
    const upstream = await serveGateway({
      port: 0,
      player: "upstream",
      create: ({ limits, ...episode }) =>
        createConversation({
          policy: scriptedPolicy(() => "hello", { renderer: byteRenderer }),
          renderer: byteRenderer,
          limits: resolveLimits(limits),
          ...episode,
        }),
      onTrajectory: () => {},
    });
    const output = join(mkdtempSync(join(tmpdir(), "attune-gateway-")), "captured.jsonl");
    const given = ["gateway", "--upstream", `${upstream.url}/v1`, "--upstream-model", "m", "--port", "0"];
    const child = spawn(
      process.execPath,
      ["--conditions=attune-source", join(root, "src/cli/main.ts"), ...given, ...asks, "--output", output],
      { cwd: root, stdio: ["ignore", "ignore", "pipe"] },
    );
    try {
      let said = "";
      child.stderr.on("data", (chunk) => (said += chunk));
      await expect.poll(() => said, { timeout: 20_000 }).toContain("/t/NAME/v1");
      const baseURL = /(http:\S+)NAME\/v1/.exec(said)![1]!;
      const client = new OpenAI({ baseURL: `${baseURL}mine/v1`, apiKey: "-" });
      const messages = [{ role: "user" as const, content: "Hi" }];
      const reply = await client.chat.completions.create({ model: "m", messages });
      expect(reply.choices[0]!.message.content).toBe("hello");
      child.kill("SIGINT");
      await once(child, "exit");
      expect(said).toContain("1 trajectories in");
      const captured: Trajectory[] = [];
      if (existsSync(output)) for await (const each of readTrajectories(output)) captured.push(each);
      expect(captured.map(({ id, status }) => [id, status])).toEqual([["mine", "completed"]]);
      expect(captured[0]!.nodes.map(({ message, gap }) => [message!.content, gap])).toEqual([
        ["Hi", gaps[0]],
        ["hello", gaps[1]],
      ]);
    } finally {
      child.kill("SIGKILL");
      await upstream.close();
    }
  },
);

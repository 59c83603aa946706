import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { toTask } from "../environment/task.ts";
import { correct } from "../reward/components.ts";
import { toRequests } from "../rollout/groups.ts";
import { rollout } from "../rollout/rollout.ts";
import { byteRenderer } from "../testing/byte-tokenizer.ts";
import { scriptedPolicy } from "../testing/scripted-policy.ts";
import { grade } from "../train/grade.ts";
import { commandAgent } from "./command-agent.ts";
import { defineAgent } from "./define-agent.ts";

const task = toTask({ environment: "program", kind: "k", input: "40 + 2?", answer: "42", split: "train" });

/** Plays a program that is given as its source. */
async function play(source: string, limits = {}) {
  const file = join(mkdtempSync(join(tmpdir(), "attune-program-")), "agent.mjs");
  writeFileSync(file, source);
  const environment = defineAgent<string>({
    name: "program",
    tasks: () => [task],
    run: commandAgent<string>({ command: [process.execPath, file] }),
    rewards: { correct: correct() },
    limits,
  });
  const [trajectory] = await rollout({
    environments: [environment],
    requests: toRequests({ tasks: [task], groupSize: 1, step: 0, runSeed: 0, sampling: { temperature: 1 } }),
    policy: scriptedPolicy((prompt) => (prompt.includes("40 + 2?") ? "<answer>42</answer>" : "?"), {
      renderer: byteRenderer,
    }),
    renderer: byteRenderer,
    grade,
    concurrency: 1,
    order: "free",
  });
  return trajectory!;
}

const asks = `
  let question = "";
  for await (const chunk of process.stdin) question += chunk;
  const response = await fetch(process.env.OPENAI_BASE_URL + "/chat/completions", {
    method: "POST",
    body: JSON.stringify({ model: "m", messages: [{ role: "user", content: question }] }),
  });
  const { choices } = await response.json();
`;

describe("a program as an agent", () => {
  it("reads its task, asks its model over HTTP, and prints its answer", async () => {
    const trajectory = await play(`${asks} console.log(choices[0].message.content);`);
    expect(trajectory).toMatchObject({
      status: "completed",
      reward: 1,
      outcome: { answer: "<answer>42</answer>" },
    });
    expect(trajectory.nodes.map(({ message }) => message!.content)).toEqual([
      "40 + 2?",
      "<answer>42</answer>",
    ]);
  });

  it("sees nothing of the environment but what it is given", async () => {
    const trajectory = await play(`${asks} console.log(Object.keys(process.env).sort().join());`);
    const { answer } = trajectory.outcome as { answer: string };
    expect(answer).toBe("ANTHROPIC_API_KEY,ANTHROPIC_BASE_URL,ATTUNE_SEED,OPENAI_API_KEY,OPENAI_BASE_URL");
  });

  it("fails with the last line that it complained in", async () => {
    const trajectory = await play(
      `${asks} console.error("first"); console.error("no disk"); process.exit(3);`,
    );
    expect(trajectory).toMatchObject({ status: "environment_error", reward: null });
    expect(trajectory.error).toMatch(/ended with 3: no disk$/);
  });

  it("is killed when its time is up", async () => {
    const trajectory = await play("setInterval(() => {}, 1000);", { wallTimeMs: 500 });
    expect(trajectory.status).toBe("timeout");
  });
});

// The agents of the gateway bench: each asks, reads the reply, adds a message and asks again.
import { Agent, request } from "node:http";
import { parentPort, workerData } from "node:worker_threads";

const { url, path, agents, turns } = workerData as {
  url: string;
  path: string;
  agents: number;
  turns: number;
};

const connections = new Agent({ keepAlive: true, maxSockets: agents });

function post(address: string, body: object): Promise<string> {
  const text = JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const call = request(
      address,
      {
        method: "POST",
        agent: connections,
        headers: { "content-type": "application/json", "content-length": Buffer.byteLength(text) },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const answer = Buffer.concat(chunks).toString();
          if (response.statusCode === 200) resolve(answer);
          else reject(new Error(`${response.statusCode}: ${answer}`));
        });
      },
    );
    call.on("error", reject);
    call.end(text);
  });
}

const bodyOf = (messages: object[]) =>
  path === "responses"
    ? { model: "m", input: messages }
    : { model: "m", messages, ...(path === "messages" && { max_tokens: 200 }) };

const reply = "A reply of a few words, as an agent's model gives it.";

async function play(agent: number, round: string): Promise<number[]> {
  // spread over the policy's time, as agents are that did not start together
  await new Promise((resolve) => setTimeout(resolve, (agent * 250) / agents));
  const messages: object[] = [{ role: "user", content: `Task ${agent}: tell me what you see.` }];
  const took: number[] = [];
  for (let turn = 0; turn < turns; turn++) {
    const askedAt = performance.now();
    await post(`${url}/t/${round}-${agent}/v1/${path}`, bodyOf(messages));
    took.push(performance.now() - askedAt);
    messages.push({ role: "assistant", content: reply }, { role: "user", content: `And then, ${turn}?` });
  }
  return took;
}

const all = (round: string) => Promise.all(Array.from({ length: agents }, (_, agent) => play(agent, round)));
await all("warm-up");
parentPort!.postMessage((await all("measured")).flat());

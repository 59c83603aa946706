import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

// A controller with one task worker behind it that follows the documented protocol of AgentBench, in both editions:
// 0.2 (session_id in the body, histories of text) and function calling (session_id as a header, OpenAI's messages).
// Its task: bring a sum to the sample's index, then say it.

type Message = { role: string; content: string; tool_calls?: Call[]; tool_call_id?: string };
type Call = { id: string; function: { name: string; arguments: string } };

type Sample = {
  index: number;
  sum: number;
  rounds: number;
  history: Message[];
};

export type FixtureOptions = {
  edition: "tools" | "text";
  concurrency?: number;
  rounds?: number;
  /** The worker's answer is wrapped, as workers themselves give it. */
  wrapped?: boolean;
  /** Each answer has the whole conversation. */
  fullHistory?: boolean;
  /** Answers instead of the protocol, by path: a status and a body, or a broken connection. */
  instead?: (
    path: string,
    body: Record<string, unknown>,
  ) => { status: number; body: unknown } | "hang up" | undefined;
};

const tools = [
  {
    type: "function",
    function: {
      name: "add",
      description: "Adds to the sum.",
      parameters: { type: "object", properties: { by: { type: "number" } }, required: ["by"] },
    },
  },
  {
    type: "function",
    function: {
      name: "finish",
      description: "Says the sum.",
      parameters: { type: "object", properties: { answer: { type: "string" } }, required: ["answer"] },
    },
  },
];

export async function startController({
  edition,
  concurrency = 2,
  rounds = 4,
  wrapped = false,
  fullHistory = false,
  instead,
}: FixtureOptions) {
  const samples = new Map<number, Sample>();
  const requests: { path: string; session: string | undefined; body: Record<string, unknown> }[] = [];
  let next = 0;

  const http = (status: number, detail: unknown) => ({ status, body: { detail } });

  const turn = (
    sample: Sample,
    fresh: Message[],
    end?: { status: string; result?: unknown; reward?: number },
  ) => {
    sample.history.push(...fresh);
    const finish = end !== undefined;
    if (edition === "text")
      return {
        index: sample.index,
        status: end?.status ?? "running",
        result: end?.result ?? null,
        history: sample.history,
      };
    const output = {
      messages: fullHistory ? sample.history : fresh,
      tools,
      status: end?.status ?? "running",
      finish,
      reward: end?.reward ?? 0,
    };
    const metrics = finish ? { score: end.reward ?? 0 } : {};
    return wrapped ? { env_out: { ...output, metric: metrics } } : { ...output, metrics };
  };

  const limited = (sample: Sample) =>
    sample.rounds >= rounds ? { status: "task limit reached", result: { result: false } } : undefined;

  /** Function calling: every call of the message, in one round. */
  const playTools = (sample: Sample, message: Message) => {
    sample.rounds++;
    sample.history.push(message);
    const fresh: Message[] = [];
    for (const { id, function: called } of message.tool_calls ?? []) {
      const given = JSON.parse(called.arguments) as { by?: number; answer?: string };
      if (called.name === "finish") {
        const right = given.answer === String(sample.index) && sample.sum === sample.index;
        return turn(sample, fresh, { status: "completed", reward: right ? 1 : 0 });
      }
      if (given.by === 13) return turn(sample, fresh, { status: "agent invalid action" });
      if (given.by === 99) return turn(sample, fresh, { status: "task error" });
      sample.sum += given.by!;
      fresh.push({ role: "tool", tool_call_id: id, content: String(sample.sum) });
    }
    if (!message.tool_calls?.length) fresh.push({ role: "user", content: "call a tool" });
    return turn(sample, fresh, limited(sample));
  };

  const playText = (sample: Sample, content: string) => {
    sample.rounds++;
    sample.history.push({ role: "agent", content });
    const [, by] = /^add (-?\d+)$/.exec(content) ?? [];
    const [, answer] = /^answer (\d+)$/.exec(content) ?? [];
    if (answer) {
      const result = { result: answer === String(sample.index) && sample.sum === sample.index };
      return turn(sample, [], { status: "completed", result });
    }
    if (by === "99") return undefined;
    if (!by) return turn(sample, [], { status: "agent validation failed", result: { result: false } });
    sample.sum += Number(by);
    return turn(sample, [{ role: "user", content: `sum: ${sample.sum}` }], limited(sample));
  };

  const opening = (index: number): Message[] =>
    edition === "tools"
      ? [
          { role: "system", content: "You add." },
          { role: "user", content: `reach ${index}` },
        ]
      : [
          { role: "user", content: "reach 1" },
          { role: "agent", content: "add 1" },
          { role: "user", content: `sum: 1. new task: reach ${index}` },
        ];

  const respond = (path: string, { headers }: IncomingMessage, body: Record<string, unknown>) => {
    const session = Number(edition === "tools" ? headers["session_id"] : body["session_id"]);
    const sample = samples.get(session);
    const { pathname, searchParams } = new URL(path, "http://localhost");
    switch (pathname) {
      case "/api/list_workers":
        return {
          status: 200,
          body: {
            sums: {
              indices: [],
              workers: {
                0: { id: 0, status: 0, capacity: concurrency, current: samples.size },
                1: { id: 1, status: 2, capacity: 5, current: 0 },
              },
            },
          },
        };
      case "/api/get_indices":
        if (searchParams.get("name") !== "sums") return http(400, "Error: Task does not exist");
        return { status: 200, body: [...Array(40).keys(), -1] };
      case "/api/start_sample": {
        if (body["name"] !== "sums") return http(406, "Error: Task does not exist");
        if (samples.size >= concurrency) return http(406, "Error: No workers available");
        const sample = { index: Number(body["index"]), sum: 0, rounds: 0, history: [] };
        samples.set(next, sample);
        const first = turn(sample, opening(sample.index));
        const id = next++;
        return edition === "tools"
          ? { status: 200, body: first.env_out ?? first, session: id }
          : { status: 200, body: { session_id: id, output: first } };
      }
      case "/api/interact": {
        if (!sample) return http(400, "Error: Session does not exist");
        const { messages, agent_response } = body as {
          messages?: Message[];
          agent_response?: { status: string; content: string };
        };
        const output =
          edition === "tools" ? playTools(sample, messages![0]!) : playText(sample, agent_response!.content);
        if (!output) {
          samples.delete(session);
          return http(501, { session_id: session, output: { status: "task error", result: "Traceback" } });
        }
        const { status } = output.env_out ?? output;
        if (status !== "running") samples.delete(session);
        return { status: 200, body: edition === "tools" ? output : { session_id: session, output } };
      }
      case "/api/cancel":
        if (!sample) return http(400, "Error: Session does not exist");
        samples.delete(session);
        return { status: 200, body: { session_id: session } };
      default:
        return http(404, "Not Found");
    }
  };

  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const text = Buffer.concat(parts).toString();
      const body = (text ? JSON.parse(text) : {}) as Record<string, unknown>;
      const path = request.url!;
      const { session_id } = request.headers;
      requests.push({ path, session: session_id as string | undefined, body });
      const replaced = instead?.(path, body);
      if (replaced === "hang up") return request.socket.destroy();
      const answer: { status: number; body: unknown; session?: number } =
        replaced ?? respond(path, request, body);
      if (answer.session !== undefined) response.setHeader("session_id", String(answer.session));
      response.writeHead(answer.status, { "content-type": "application/json" });
      return response.end(typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`,
    requests,
    get running() {
      return samples.size;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

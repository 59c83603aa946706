import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { openAiEmbedder } from "./embeddings.ts";

async function serve(answer: (body: { input: string[] }) => unknown): Promise<string> {
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () =>
      response.end(
        JSON.stringify(answer(JSON.parse(Buffer.concat(parts).toString()) as { input: string[] })),
      ),
    );
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => {
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

it("puts vectors in the order of the texts, whatever order they came in", async () => {
  const bodies: unknown[] = [];
  const baseUrl = await serve((body) => {
    bodies.push(body);
    return {
      data: body.input.map((text, index) => ({ index, embedding: [text.length, 1] })).reverse(),
    };
  });
  const embedder = openAiEmbedder({ baseUrl, model: "mini" });
  expect(await embedder.embed(["a", "bcd"], {})).toEqual([Float32Array.of(1, 1), Float32Array.of(3, 1)]);
  expect(bodies).toEqual([{ model: "mini", input: ["a", "bcd"], encoding_format: "float" }]);
});

it.each([
  [{ data: [{ index: 0, embedding: [1] }] }],
  [
    {
      data: [
        { index: 0, embedding: [1] },
        { index: 1, embedding: [1, 2] },
      ],
    },
  ],
  [{ data: "no" }],
])("refuses an answer without a vector for each text: %j", async (answer) => {
  const embedder = openAiEmbedder({ baseUrl: await serve(() => answer), model: "mini" });
  await expect(embedder.embed(["a", "b"], {})).rejects.toThrow("expected data of 2 embeddings");
});

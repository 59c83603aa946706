import { memoryScenarios } from "../../eval/bfcl/categories.ts";
import type { BfclData } from "../../eval/bfcl/data.ts";
import { repr } from "../../eval/bfcl/python/text.ts";
import type { World } from "../../eval/bfcl/run/world.ts";

/** A note of what a user told in an earlier conversation. */
export type Note = { key: string; text: string };

const longestNote = 2000;
const mostNotes = 50;
const longestSummary = 10_000;

/** What the earlier conversations of each scenario said, cut into notes as long as a memory takes them. */
export function readNotes(data: BfclData): (scenario: string) => readonly Note[] {
  const known = new Map<string, Note[]>();
  return (scenario) => {
    const notes = known.get(scenario) ?? toNotes(data, scenario);
    known.set(scenario, notes);
    return notes;
  };
}

function toNotes(data: BfclData, scenario: string): Note[] {
  if (!memoryScenarios.some((each) => each === scenario)) return [];
  const notes = data.prerequisites(scenario).flatMap(({ topic, turns }, index) => {
    const said = turns.flat().filter(({ role }) => role === "user");
    const letters = Array.from(said.map(({ content }) => content).join("\n"));
    const pieces = Math.ceil(letters.length / longestNote);
    return Array.from({ length: pieces }, (_, piece) => ({
      key: `${toKey(topic ?? `conversation ${index}`)}_${piece}`,
      text: letters.slice(piece * longestNote, (piece + 1) * longestNote).join(""),
    }));
  });
  return notes.slice(0, mostNotes);
}

const toKey = (topic: string) =>
  topic
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "")
    .join("_")
    .replace(/^(?=\d)/, "topic_");

/** Puts the notes into a memory with the calls that a careful model would have made. */
export async function takeNotes(world: World, category: string, notes: readonly Note[]): Promise<void> {
  const text = (value: string) => repr(value);
  if (category === "memory_rec_sum") {
    // every note gets its share of the summary
    const share = Math.floor(longestSummary / Math.max(1, notes.length)) - 1;
    const summary = notes.map((note) => Array.from(note.text).slice(0, share).join("")).join("\n");
    await world.run([`memory_update(${text(summary)})`]);
    return;
  }
  const add = ({ key, text: said }: Note) =>
    category === "memory_kv"
      ? `archival_memory_add(${text(key)}, ${text(said)})`
      : `archival_memory_add(${text(said)})`;
  await world.run(notes.map(add));
}

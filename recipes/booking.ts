import { defineEnvironment, type Random, scripted, ToolError, taskStream, tool } from "attune";
import { z } from "zod";

type Booking = { rooms: string[]; free: string };

const names = ["ash", "birch", "cedar", "elm", "fir", "hazel", "lime", "oak"];
const input = z.object({ room: z.enum(names) });

function oneFree(random: Random) {
  const rooms = random.shuffle(names).slice(0, 3);
  const free = random.pick(rooms);
  return { input: { rooms, free }, answer: free, key: `${rooms.join(" ")}: ${free}` };
}

const booking = defineEnvironment<Booking>({
  name: "booking",
  description: "Find the room that is free, and book it.",
  tasks: (query) => taskStream({ environment: "booking", salt: "1", kinds: { oneFree }, ...query }),
  start({ input: { rooms, free } }) {
    let booked: string | null = null;
    const look = tool({
      name: "look",
      description: "Says whether a room is free or taken.",
      input,
      execute({ room }) {
        if (!rooms.includes(room)) throw new ToolError(`there is no ${room}`);
        return room === free ? "free" : "taken";
      },
    });
    const book = tool({
      name: "book",
      description: "Books a room, which is final.",
      input,
      execute({ room }) {
        booked = room;
        return "booked";
      },
    });
    return {
      messages: [{ role: "user", content: `book a free room: ${rooms.join(", ")}` }],
      tools: [look, book],
      ended: () => booked !== null,
      outcome: () => booked,
    };
  },
  rewards: { booked: { weight: 1, grade: ({ task, outcome }) => (outcome === task.answer ? 1 : 0) } },
  experts: {
    careful: ({ input }) =>
      scripted((seen) => {
        const free = seen.indexOf("free");
        const room = (input as Booking).rooms[free === -1 ? seen.length : free]!;
        return { thought: "next", call: { name: free === -1 ? "look" : "book", arguments: { room } } };
      }),
  },
});

export default booking;

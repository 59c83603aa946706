// The record of an episode: paths through it, what a reward may look at, how it is kept and read. Read path.ts first.
export { toGradeContext } from "./grade-context.ts";
export { assistantMessages, leavesOf, mainPath, messagesOf, pathTo, sampledTokens } from "./path.ts";
export { statusPolicy } from "./status.ts";
export { appendTrajectories, readTrajectories } from "./store.ts";
export { type TranscriptLine, toTranscript } from "./view.ts";

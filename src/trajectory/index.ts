// The record of an episode: paths through it, how an agent's calls become one, what a reward may look at, how it is
// kept and read. Read path.ts first, then recorder.ts and directory-store.ts.
export { openStore, type TrajectoryStore } from "./directory-store.ts";
export { appendEdit, applyEdit, type Edit, editTrajectory, readEdits } from "./edit.ts";
export { toGradeContext } from "./grade-context.ts";
export type { Heading, TrajectoryFilter } from "./heading.ts";
export { assistantMessages, leavesOf, mainPath, messagesOf, pathTo, sampledTokens } from "./path.ts";
export { createRecorder, type Exchange, type Recorder } from "./recorder.ts";
export { retokenize } from "./retokenize.ts";
export { sameJson, sameMessage } from "./same-message.ts";
export type { StoredHeading } from "./segment-index.ts";
export { statusPolicy } from "./status.ts";
export { appendTrajectories, readTrajectories } from "./store.ts";
export { type TranscriptLine, toTranscript } from "./view.ts";

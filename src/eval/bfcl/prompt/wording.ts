// The texts with which the leaderboard asks. They are part of the benchmark: a model that is asked otherwise gets
// another score, so every character stands as it does there.

/** How calls are to be written, by return format. */
export const callPatterns = {
  python: "[func_name1(params_name1=params_value1, params_name2=params_value2...), func_name2(params)]",
  json: '```json\n[{"function":"func_name1","parameters":{"param1":"value1","param2":"value2"...}},{"function":"func_name2","parameters":{"param":"value"}}]\n```',
  verbose_xml:
    '<functions><function name="func_name1"><params><param name="param1" value="value1" type="type1"/><param name="param2" value="value2" type="type2"/>...</params></function><function name="func_name2"><params><param name="param3" value="value3" type="type3"/></params></function></functions>',
  concise_xml:
    '<functions><function name="func_name1"><param name="param1" type="type1">value1</param><param name="param2" type="type2">value2</param>...</function><function name="func_name2"><param name="param3" type="type3">value</param></function></functions>',
} as const;

const xmlTypes =
  "The type fields of the parameters in your function calls must be one of: string, integer, float, boolean, array, dict, or tuple.";

/** What is said about types, by return format. */
export const typeNotes = { python: "", json: "", verbose_xml: xmlTypes, concise_xml: xmlTypes } as const;

export type Style = {
  persona: string;
  task: string;
  untagged(pattern: string, types: string): string;
  tagged(pattern: string, types: string): string;
  turns: string;
  tools(format: string, functions: string): string;
};

export const styles: Record<"classic" | "experimental", Style> = {
  classic: {
    persona: "You are an expert in composing functions.",
    task: "You are given a question and a set of possible functions. Based on the question, you will need to make one or more function/tool calls to achieve the purpose. If none of the functions can be used, point it out. If the given question lacks the parameters required by the function, also point it out.",
    untagged: (pattern, types) =>
      `You should only return the function calls in your response.\n\nIf you decide to invoke any of the function(s), you MUST put it in the format of ${pattern}. ${types} You SHOULD NOT include any other text in the response.`,
    tagged: (pattern, types) =>
      `You should only return the function calls in the <TOOLCALL> section. If you decide to invoke any of the function(s), you MUST put it in the format of <TOOLCALL>${pattern}</TOOLCALL>. ${types} You SHOULD NOT include any other text in the response.`,
    turns:
      "At each turn, you should try your best to complete the tasks requested by the user within the current turn. Continue to output functions to call until you have fulfilled the user's request to the best of your ability. Once you have no more functions to call, the system will consider the current turn complete and proceed to the next turn or task.",
    tools: (format, functions) =>
      `Here is a list of functions in ${format} format that you can invoke.\n${functions}\n`,
  },
  experimental: {
    persona: "You are an expert in generating structured function calls.",
    task: "You are given a user query and a set of available functions. Your task is to produce one or more function/tool calls to fulfill the user's request. If no suitable function exists, or required parameters are missing, clearly indicate this.",
    untagged: (pattern, types) =>
      `Respond with only the function calls.\n\nYou MUST format it exactly as ${pattern}. ${types} Do NOT include any other text.`,
    tagged: (pattern, types) =>
      `Return only the function calls enclosed in <TOOLCALL> tags.\n\nYou MUST format it exactly as <TOOLCALL>${pattern}</TOOLCALL>. ${types} Do NOT include any other text.`,
    turns:
      "At every turn, aim to complete the user's tasks within that turn. Continue emitting function calls until the request is satisfied to the best of your ability. Once no more calls are needed, the system will proceed to the next turn.",
    tools: (format, functions) =>
      `Below is a list of callable functions in the ${format} style:\n${functions}\n`,
  },
};

/** Opens the turn in which functions that were held back become callable. */
export const moreFunctions = "I have updated some more functions you can choose from. What about now?";

/** How the answer of an agentic question is to be given. */
export const answerFormat =
  "For your final answer to the user, you must respond in this format: {'answer': A short and precise answer to the question, 'context': A brief explanation of how you arrived at this answer or why it is correct}. If you do not know the answer, respond with {'answer': 'I do not know', 'context': 'I do not know'}. If you think the question cannot be properly answered, response with {'answer': 'I cannot answer this question', 'context': A short reason explaining why this question cannot be answered}.\n";

/** Who the assistant is, by the scenario of a memory question. */
export const memoryPersonas: Readonly<Record<string, string>> = {
  student:
    "You are an academic-support assistant for college student. Remember key personal and academic details discussed across sessions, and draw on them to answer questions or give guidance.",
  customer:
    "You are a general customer support assistant for an e-commerce platform. Your task is to understand and remember information that can be used to provide information about user inquiries, preferences, and offer consistent, helpful assistance over multiple interactions.",
  finance:
    "You are a high-level executive assistant supporting a senior finance professional. Retain and synthesize both personal and professional information including facts, goals, prior decisions, and family life across sessions to provide strategic, context-rich guidance and continuity.",
  healthcare:
    "You are a healthcare assistant supporting a patient across appointments. Retain essential medical history, treatment plans, and personal preferences to offer coherent, context-aware guidance and reminders.",
  notetaker:
    "You are a personal organization assistant. Capture key information from conversations, like tasks, deadlines, and preferences, and use it to give reliable reminders and answers in future sessions.",
};

/** What a model is told of a memory with two parts. */
export const coreAndArchive = (persona: string, content: string) =>
  `${persona}\n\nYou have access to an advanced memory system, consisting of two memory types 'Core Memory' and 'Archival Memory'. Both type of memory is persistent across multiple conversations with the user, and can be accessed in a later interactions. You should actively manage your memory data to keep track of important information, ensure that it is up-to-date and easy to retrieve to provide personalized responses to the user later.\n\nThe Core memory is limited in size, but always visible to you in context. The Archival Memory has a much larger capacity, but will be held outside of your immediate context due to its size.\n\nHere is the content of your Core Memory from previous interactions:\n${content}\n`;

/** What a model is told of a memory that is one text. */
export const wholeMemory = (persona: string, content: string) =>
  `${persona}\n\nYou have access to an advanced memory system, which is persistent across multiple conversations with the user, and can be accessed in a later interactions. You should actively manage your memory data to keep track of important information, ensure that it is up-to-date and easy to retrieve to provide personalized responses to the user later.\n\nHere is the content of your memory system from previous interactions:\n${content}\n`;

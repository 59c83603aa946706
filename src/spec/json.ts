/** A JSON value: what may cross a file, a socket or a worker boundary. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export type JsonObject = { [key: string]: Json };

/** A JSON Schema document (2020-12 unless it says otherwise). */
export type JsonSchema = { [keyword: string]: unknown };

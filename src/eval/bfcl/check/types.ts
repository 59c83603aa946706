/** The class of Python that stands for each type word of a document; `language` decides which table is read. */
export type Language = "python" | "java" | "javascript";

const python: Record<string, string> = {
  string: "str",
  integer: "int",
  float: "float",
  boolean: "bool",
  array: "list",
  tuple: "list",
  dict: "dict",
  any: "str",
};

const java: Record<string, string> = {
  byte: "int",
  short: "int",
  integer: "int",
  float: "float",
  double: "float",
  long: "int",
  boolean: "bool",
  char: "str",
  Array: "list",
  ArrayList: "list",
  Set: "set",
  HashMap: "dict",
  Hashtable: "dict",
  Queue: "list",
  Stack: "list",
  String: "str",
  any: "str",
};

const javascript: Record<string, string> = {
  String: "str",
  integer: "int",
  float: "float",
  Bigint: "int",
  Boolean: "bool",
  dict: "dict",
  array: "list",
  any: "str",
};

const tables = { python, java, javascript };

/** The class name a type word stands for; undefined where the language has no such word. */
export function classOf(language: Language, word: string): string | undefined {
  return Object.hasOwn(tables[language], word) ? tables[language][word] : undefined;
}

/** Whether a parameter of this type has its elements checked too. */
export function hasCheckedElements(language: Language, word: string): boolean {
  if (language === "python") return word === "array" || word === "tuple";
  return word === "Array" || word === "ArrayList" || word === "array";
}

/** The language a category is written in; its name says so. */
export function languageOf(category: string): Language {
  if (category.includes("javascript")) return "javascript";
  return category.includes("java") ? "java" : "python";
}

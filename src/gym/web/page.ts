/** Left, top, width, height in pixels of the page, which begins at its own top whatever is scrolled. */
export type Box = [left: number, top: number, width: number, height: number];

/** One line of a page's accessibility tree. */
export type PageNode = {
  depth: number;
  role: string;
  name: string;
  box: Box;
  /** Where the agent may act on it: its number on this page, counted from the top. */
  id?: number;
  value?: string;
  options?: string[];
  checked?: boolean;
  expanded?: boolean;
  disabled?: boolean;
  focused?: boolean;
  multiline?: boolean;
  /** A click on a link or button, or Enter in a field, leads to another page. */
  leads?: boolean;
};

/** What a browser shows. Ids hold until the next reading. */
export type Page = { title: string; path: string; height: number; canGoBack: boolean; nodes: PageNode[] };

export const keys = ["Enter", "Tab", "Shift+Tab", "Space", "ArrowUp", "ArrowDown"] as const;
export type Key = (typeof keys)[number];

/** What hands can do to a page, checked beforehand: the element is there, enabled and of a kind that takes it. */
export type PageAction =
  | { do: "click"; id: number; at?: { left: number; top: number }; leads: boolean }
  | { do: "type"; id: number; text: string }
  | { do: "select"; id: number; option: string }
  | { do: "press"; key: Key; leads: boolean }
  | { do: "back" };

/** A browser with one tab. The two there are give the same pages for the same actions. */
export interface Browser {
  read(): Page | Promise<Page>;
  perform(action: PageAction): void | Promise<void>;
  /** The element a click at a point of the page would reach, labels standing for what they label. */
  elementAt(point: { left: number; top: number }): number | undefined | Promise<number | undefined>;
  scrollTo(top: number): void | Promise<void>;
  /** A PNG of what is in view; absent where nothing is painted. */
  screenshot?(): Promise<Uint8Array>;
  close(): void | Promise<void>;
}

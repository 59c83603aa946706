import type { Random } from "../../kit/random.ts";

/** A folder of one-value files. All files of a folder have one ending, which is seen only when it is listed. */
export type Folder = { name: string; ending: string; files: Record<string, string> };

export const folderNames = ["notes", "logs", "data", "home", "work", "mail", "shop", "team"];
export const keys = ["alpha", "beta", "gamma", "delta", "omega", "sigma", "kappa", "theta"];
export const endings = ["cfg", "txt", "ini", "log"];

export const pathOf = (folder: Folder, key: string) => `${folder.name}/${key}.${folder.ending}`;

export const drawValue = (random: Random) => String(100 + random.integer(900));

/** Two folders of two or three files. */
export function drawFolders(random: Random): [Folder, Folder] {
  const names = random.shuffle(folderNames);
  const folder = (name: string): Folder => ({
    name,
    ending: random.pick(endings),
    files: Object.fromEntries(
      random
        .shuffle(keys)
        .slice(0, 2 + random.integer(2))
        .sort()
        .map((key) => [key, drawValue(random)]),
    ),
  });
  return [folder(names[0]!), folder(names[1]!)];
}

/** The tree as path → content. */
export function toTree(folders: readonly Folder[]): Record<string, string> {
  return Object.fromEntries(
    folders.flatMap((folder) =>
      Object.entries(folder.files).map(([key, value]) => [pathOf(folder, key), value]),
    ),
  );
}

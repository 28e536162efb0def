// What was dropped or chosen, folders walked, each file with its path inside what was dropped.

/** Without a file where the browser could not read one. */
export type Chosen = { file: File | null; path: string };

/** Must be called within the drop event: the entries are gone afterwards. */
export async function fromDrop(transfer: DataTransfer): Promise<Chosen[]> {
  const entries: FileSystemEntry[] = [];
  const plain: Chosen[] = [];
  for (const item of transfer.items) {
    if (item.kind !== "file") continue;
    const entry = item.webkitGetAsEntry?.();
    const file = entry ? null : item.getAsFile();
    if (entry) entries.push(entry);
    else if (file) plain.push({ file, path: file.name });
  }
  const walked: Chosen[] = [];
  for (const entry of entries) await walk(entry, walked);
  return [...plain, ...walked];
}

export function fromInput(files: Iterable<File>): Chosen[] {
  return Array.from(files, (file) => ({ file, path: file.webkitRelativePath || file.name }));
}

async function walk(entry: FileSystemEntry, found: Chosen[]): Promise<void> {
  const path = entry.fullPath.replace(/^\//, "");
  try {
    if (entry.isFile) {
      const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
      found.push({ file, path });
      return;
    }
    const reader = (entry as FileSystemDirectoryEntry).createReader();
    for (;;) {
      // A reader hands out a hundred entries at a time, and an empty list at the end.
      const batch = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
      if (!batch.length) return;
      for (const child of batch) await walk(child, found);
    }
  } catch {
    found.push({ file: null, path }); // not to be read: the others still go
  }
}

/** Files that systems leave in folders and nobody means to upload. */
export const isHidden = (path: string): boolean => path.split("/").some((part) => part.startsWith(".")) || /(^|\/)(Thumbs\.db|desktop\.ini)$/i.test(path);

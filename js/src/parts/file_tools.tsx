import { Columns } from "../components/Columns";
import { FilterBox } from "../components/FilterBox";
import type { FileQuery, FilesState } from "../lib/messages_browsers";
import type { Query } from "../lib/query";

/** What is open above the table. */
export type Tool = "filter" | "columns";

export type FileToolsProps = { tool: Tool; state: FilesState; query: Query<FileQuery>; keys: string[]; choose: (keys: string[]) => void };

/** The platform's own filter, and the metadata that are columns. */
export default function FileTools({ tool, state, query, keys, choose }: FileToolsProps) {
  return tool === "filter" ? <FilterBox query={state.query} ask={query} /> : <Columns known={state.keys} chosen={keys} choose={choose} />;
}

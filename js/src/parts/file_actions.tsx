import type { AnyModel } from "@anywidget/types";
import type { Requests } from "../lib/requests";
import type { Table } from "../lib/table";
import type { FileRow } from "../lib/messages_browsers";
import { DeleteFiles } from "../components/DeleteFiles";
import { DownloadFiles } from "../components/DownloadFiles";
import { FileDetailsView } from "../components/FileDetailsView";

/** What is open below the table. */
export type Doing = { what: "details"; id: string } | { what: "download" } | { what: "delete"; at: number };

export type FileActionsProps = {
  model: AnyModel;
  requests: Requests;
  doing: Doing;
  table: Table<FileRow>;
  folder: string;
  close: () => void;
};

/** One file in detail, and what is done with the selected ones. */
export default function FileActions({ doing, ...props }: FileActionsProps) {
  if (doing.what === "details") return <FileDetailsView key={doing.id} id={doing.id} {...props} />;
  // Asked for again, it asks for what is picked then.
  return doing.what === "download" ? <DownloadFiles {...props} /> : <DeleteFiles key={doing.at} {...props} />;
}

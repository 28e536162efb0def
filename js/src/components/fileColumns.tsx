import { formatBytes, formatDateTime } from "../lib/format";
import { t } from "../lib/i18n";
import type { FileQuery, FileRow } from "../lib/messages_browsers";
import { visible } from "../lib/text";
import { CopyId } from "./CopyButton";
import type { Column } from "./Grid";

/** The columns of the file browser, those of chosen metadata keys at the end. */
export function fileColumns(query: FileQuery, sortBy: (sort: FileQuery["sort"]) => void, keys: string[]): Column<FileRow>[] {
  const sorted = (sort: FileQuery["sort"]) => ({
    sort: query.sort !== sort ? ("none" as const) : query.order === "ASC" ? ("ascending" as const) : ("descending" as const),
    onSort: () => sortBy(sort),
  });
  return [
    {
      key: "name",
      head: t("Name"),
      width: "minmax(200px, 3fr)",
      narrow: keys.length ? "minmax(140px, 1fr)" : "minmax(0, 1fr)",
      class: "dnb-first",
      ...sorted("name"),
      cell: (row) => <bdi>{visible(row.name)}</bdi>,
    },
    {
      key: "size",
      head: t("Size"),
      width: "84px",
      narrow: "76px",
      class: "dnb-number",
      hint: t("The platform sorts by name and by time only."),
      cell: (row) => formatBytes(row.size),
    },
    { key: "created", head: t("Created"), width: "172px", ...sorted("created_at"), cell: (row) => formatDateTime(row.created_at) },
    {
      key: "id",
      head: t("File id"),
      width: "118px",
      cell: (row) => <CopyId id={row.file_id} label={t("Copy file id")} />,
    },
    ...keys.map(
      (key, index): Column<FileRow> => ({
        key: `meta ${key}`,
        head: visible(key, 40),
        width: "minmax(110px, 1fr)",
        narrow: "minmax(110px, 1fr)", // asked for, so there; the table is scrolled sideways if need be
        class: "dnb-key",
        cell: (row) => {
          const value = row.meta[index];
          if (value === undefined) return <span class="dnb-ghost" />; // not here yet
          return value === null ? <span class="dnb-muted">–</span> : <bdi>{visible(value, 80)}</bdi>;
        },
      }),
    ),
  ];
}

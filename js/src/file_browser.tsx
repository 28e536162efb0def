import type { AnyModel } from "@anywidget/types";
import { useMemo, useRef, useState } from "preact/hooks";
import { BrowserHead } from "./components/BrowserHead";
import { CodeLine } from "./components/CodeLine";
import { fileColumns } from "./components/fileColumns";
import { FileSummary } from "./components/FileSummary";
import { Grid } from "./components/Grid";
import { Asking, BusyKernel, Waiting } from "./components/Notice";
import { Problems } from "./components/Problems";
import { SearchBox } from "./components/SearchBox";
import { sayHello } from "./lib/hello";
import { useAction, useNow, useTrait } from "./lib/hooks";
import { language, plural, rich, t } from "./lib/i18n";
import { fileRows, filesState, type FileQuery, type FileRow, type FilesState } from "./lib/messages_browsers";
import { mount, type ViewProps } from "./lib/mount";
import { usePart } from "./lib/part";
import { useQuery } from "./lib/query";
import { useTable } from "./lib/table";
import type { Doing, FileActionsProps } from "./parts/file_actions";
import type { FileToolsProps, Tool } from "./parts/file_tools";
import type { JobPartProps } from "./parts/job_view";
import "./styles/base.css";
import "./styles/job.css";
import "./styles/grid.css";

function FileBrowser(props: ViewProps) {
  const state = useTrait(props.model, "state", filesState);
  return state ? <Files {...props} state={state} /> : <Waiting />;
}

function Files({ model, requests, state }: ViewProps & { state: FilesState }) {
  const card = useRef<HTMLDivElement>(null);
  const position = useRef<HTMLSpanElement>(null);
  const now = useNow(true, 10_000);
  const action = useAction(requests);
  const query = useQuery<FileQuery>(requests, state.query);
  const [keys, setKeys] = useState<string[]>([]);
  const table = useTable<FileRow>(model, requests, state, fileRows, keys);
  const [tool, setTool] = useState<Tool | null>(null);
  const [doing, setDoing] = useState<Doing | null>(null);
  const Actions = usePart<FileActionsProps>(requests, "file_actions", doing !== null);
  const Tools = usePart<FileToolsProps>(requests, "file_tools", tool !== null);
  const Job = usePart<JobPartProps>(requests, "job_view", state.job !== null);

  const close = () => {
    setDoing(null);
    card.current?.querySelector<HTMLElement>('.dnb-row[tabindex="0"]')?.focus({ preventScroll: true });
  };
  const sortBy = (sort: FileQuery["sort"]) => {
    const turned = state.query.order === "ASC" ? "DESC" : "ASC";
    query.ask({ sort, order: state.query.sort === sort ? turned : sort === "name" ? "ASC" : "DESC" });
  };
  const columns = useMemo(() => fileColumns(state.query, sortBy, keys), [state.query, keys, language()]);
  const fold = (name: Tool, label: string, used: boolean) => (
    <button
      type="button"
      class={`dnb-button ${used ? "dnb-used" : ""}`}
      aria-expanded={tool === name}
      onClick={() => setTool(tool === name ? null : name)}
    >
      {label}
    </button>
  );

  return (
    <div
      ref={card}
      class="dnb-card dnb-browser"
      role="group"
      aria-label={t("Files")}
      aria-busy={state.loading || query.busy}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !doing) return;
        event.stopPropagation();
        close();
      }}
    >
      <BrowserHead title={t("Files")} state={state} action={action} now={now} />
      <div class="dnb-tools">
        <SearchBox label={t("Name contains")} value={state.query.name} busy={query.busy} onText={(name) => query.ask({ name })} />
        <div class="dnb-pair">
          {fold("filter", t("Filter"), Boolean(state.query.filter))}
          {fold("columns", t("Columns"), keys.length > 0)}
        </div>
      </div>
      {tool && (Tools ? <Tools tool={tool} state={state} query={query} keys={keys} choose={setKeys} /> : <Asking />)}
      <Problems of={[Tools && tool === "filter" ? null : query.problem, state.error, action.error, table.problem]} />
      {(action.slow || query.slow) && <BusyKernel />}
      {table.rows.extent > 0 ? (
        <Grid
          label={t("Files")}
          rows={table.rows}
          columns={columns}
          keyOf={(row) => row.file_id}
          selected={table.selected}
          select={table.select}
          selectRange={table.selectRange}
          act={(row) => setDoing({ what: "details", id: row.file_id })}
          position={position}
          current={doing?.what === "details" ? doing.id : null}
        />
      ) : (
        <Empty state={state} />
      )}
      <Problems of={[table.rows.error]} again={() => table.rows.again()} />
      <div class="dnb-foot">
        <FileSummary model={model} state={state} busy={query.busy || state.loading} position={position} />
        {table.selected.size > 0 && (
          <div class="dnb-buttons" role="group" aria-label={t("Selected files")}>
            <span class="dnb-count" role="status">
              {plural(table.selected.size, "{count} selected", "{count} selected")}
            </span>
            <button type="button" class="dnb-button" onClick={() => setDoing({ what: "download" })}>
              {t("Download…")}
            </button>
            <button type="button" class="dnb-button" onClick={() => setDoing({ what: "delete", at: Date.now() })}>
              {t("Delete…")}
            </button>
            <button type="button" class="dnb-button" onClick={() => table.select([], true, true)}>
              {t("Select none")}
            </button>
          </div>
        )}
      </div>
      {doing && !Actions && <Asking />}
      {doing && Actions && <Actions model={model} requests={requests} doing={doing} table={table} folder={state.folder} close={close} />}
      {state.job && Job && <Job state={state.job} requests={requests} />}
      <CodeLine code={state.code} />
    </div>
  );
}

function Empty({ state }: { state: FilesState }) {
  if (state.updated_at === null) return state.loading ? <Asking /> : null;
  if (state.query.name || state.query.filter) return <p class="dnb-muted" role="status">{t("No file matches.")}</p>;
  return <p class="dnb-muted">{rich("No files yet. {code} sends some.", { code: <code>ws.upload(path)</code> })}</p>;
}

export default {
  initialize: ({ model }: { model: AnyModel }) => sayHello(model),
  render: ({ model, el }: { model: AnyModel; el: HTMLElement }) => mount(FileBrowser, model, el),
};

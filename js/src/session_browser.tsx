import type { AnyModel } from "@anywidget/types";
import type { RefObject } from "preact";
import { useMemo, useRef, useState } from "preact/hooks";
import { BrowserHead } from "./components/BrowserHead";
import { CodeLine } from "./components/CodeLine";
import { Grid } from "./components/Grid";
import { Asking, BusyKernel, Waiting } from "./components/Notice";
import { Problems } from "./components/Problems";
import { SearchBox } from "./components/SearchBox";
import { sessionColumns, statuses } from "./components/sessionColumns";
import { formatNumber } from "./lib/format";
import { sayHello } from "./lib/hello";
import { useAction, useNow, useTrait } from "./lib/hooks";
import { language, plural, rich, t } from "./lib/i18n";
import { sessionRows, sessionsState, type SessionQuery, type SessionRow, type SessionsState } from "./lib/messages_browsers";
import { mount, type ViewProps } from "./lib/mount";
import { usePart } from "./lib/part";
import { useQuery } from "./lib/query";
import { useInSight } from "./lib/sight";
import { useTable } from "./lib/table";
import { useCounts } from "./lib/watch";
import type { SessionDetailsProps } from "./parts/session_details";
import "./styles/base.css";
import "./styles/grid.css";

function SessionBrowser(props: ViewProps) {
  const state = useTrait(props.model, "state", sessionsState);
  return state ? <Sessions {...props} state={state} /> : <Waiting />;
}

function Sessions({ model, requests, state }: ViewProps & { state: SessionsState }) {
  const card = useRef<HTMLDivElement>(null);
  const position = useRef<HTMLSpanElement>(null);
  const now = useNow(true, 10_000);
  const action = useAction(requests);
  const query = useQuery<SessionQuery>(requests, state.query);
  const table = useTable<SessionRow>(model, requests, state, sessionRows);
  const counts = useCounts(requests, table.rows, useInSight(card), action.pending);
  const [open, setOpen] = useState<{ row: SessionRow; asking: boolean } | null>(null);
  const Details = usePart<SessionDetailsProps>(requests, "session_details", open !== null);

  const current = (row: SessionRow): SessionRow => ({ ...row, ...counts.of(row) });
  const close = () => {
    setOpen(null);
    card.current?.querySelector<HTMLElement>('.dnb-row[tabindex="0"]')?.focus({ preventScroll: true });
  };
  const columns = useMemo(
    () => sessionColumns(now, current, (row) => setOpen({ row, asking: true })),
    [now, counts.known, language()],
  );
  const chips = { "": { label: t("All") }, ...statuses() };

  return (
    <div
      ref={card}
      class="dnb-card dnb-browser"
      role="group"
      aria-label={t("Upload sessions")}
      aria-busy={state.loading || query.busy}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !open) return;
        event.stopPropagation();
        close();
      }}
    >
      <BrowserHead title={t("Upload sessions")} state={state} action={action} now={now} />
      <div class="dnb-tools">
        <div class="dnb-chips" role="group" aria-label={t("Status")}>
          {Object.entries(chips).map(([status, { label }]) => (
            <button
              key={status}
              type="button"
              class="dnb-chip-button"
              aria-pressed={state.query.status === status}
              onClick={() => query.ask({ status: status as SessionQuery["status"] })}
            >
              {label}
            </button>
          ))}
        </div>
        <SearchBox label={t("Created by")} value={state.query.created_by} busy={query.busy} onText={(created_by) => query.ask({ created_by })} />
      </div>
      <Problems of={[query.problem, state.error, action.error, table.problem]} />
      {(action.slow || query.slow) && <BusyKernel />}
      {table.rows.extent > 0 ? (
        <Grid
          label={t("Upload sessions")}
          rows={table.rows}
          columns={columns}
          keyOf={(row) => row.session_id}
          selected={table.selected}
          select={table.select}
          selectRange={table.selectRange}
          act={(row) => setOpen({ row, asking: false })}
          current={open?.row.session_id ?? null}
          inSight={counts.look}
          position={position}
          most={8}
        />
      ) : (
        <Empty state={state} />
      )}
      <Problems of={[table.rows.error]} again={() => table.rows.again()} />
      <div class="dnb-foot">
        <Summary state={state} busy={query.busy || state.loading} position={position} />
        {table.selected.size > 0 && (
          <div class="dnb-buttons">
            <span class="dnb-count" role="status">
              {plural(table.selected.size, "{count} selected", "{count} selected")}
            </span>
            <button type="button" class="dnb-button" onClick={() => table.select([], true, true)}>
              {t("Select none")}
            </button>
          </div>
        )}
      </div>
      {open && !Details && <Asking />}
      {open && Details && (
        <Details
          key={`${open.row.session_id} ${open.asking}`}
          requests={requests}
          row={current(table.rows.find((row) => row.session_id === open.row.session_id) ?? open.row)}
          asking={open.asking}
          now={now}
          close={close}
        />
      )}
      <CodeLine code={state.code} />
    </div>
  );
}

function Empty({ state }: { state: SessionsState }) {
  if (state.updated_at === null) return state.loading ? <Asking /> : null;
  if (state.query.status || state.query.created_by) return <p class="dnb-muted" role="status">{t("No session matches.")}</p>;
  return (
    <p class="dnb-muted">{rich("No upload sessions yet. {code} opens one.", { code: <code>ws.upload(path)</code> })}</p>
  );
}

/** How many there are; and where the platform could not pick them itself, among how many they were looked for. */
function Summary({ state, busy, position }: { state: SessionsState; busy: boolean; position: RefObject<HTMLSpanElement | null> }) {
  if (state.updated_at === null || (!state.extent && !state.looked_through)) return null; // the table says so itself
  const { total, looked_through: looked, sessions } = state;
  const most = Math.max(sessions ?? 0, looked ?? 0);
  const values = { count: formatNumber(total ?? 0), looked: formatNumber(looked ?? 0), sessions: formatNumber(most) };
  const said =
    looked !== null
      ? looked >= most
        ? t("{count} of {sessions} upload sessions match", values)
        : t("{count} of the newest {looked} upload sessions match; there are {sessions}", values)
      : total === null
        ? t("The platform does not say how many upload sessions there are.")
        : plural(total, "{count} upload session, the newest first", "{count} upload sessions, the newest first");
  return (
    <p class="dnb-muted dnb-summary">
      <span role="status">{said}</span>
      <span ref={position as RefObject<HTMLSpanElement>} />
      {busy && <span class="dnb-late">{t("Asking the platform…")}</span>}
    </p>
  );
}

export default {
  initialize: ({ model }: { model: AnyModel }) => sayHello(model),
  render: ({ model, el }: { model: AnyModel; el: HTMLElement }) => mount(SessionBrowser, model, el),
};

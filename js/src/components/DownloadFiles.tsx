import { useState } from "preact/hooks";
import { useAction } from "../lib/hooks";
import { plural, t } from "../lib/i18n";
import type { Requests } from "../lib/requests";
import type { Table } from "../lib/table";
import { Notice } from "./Notice";
import { Pane } from "./Pane";

type Props = { requests: Requests; table: Table<any>; folder: string; close: () => void };

/** Where to, and then a job. */
export function DownloadFiles({ requests, table, folder, close }: Props) {
  const action = useAction(requests);
  const [into, setInto] = useState(folder);
  const count = table.selected.size;
  const can = count > 0 && !action.pending;
  const run = () => {
    if (can) void action.run("download", { folder: into }).then((done) => done && close());
  };
  return (
    <Pane title={plural(count, "Download {count} file", "Download {count} files")} close={close}>
      <div class="dnb-field">
        <label class="dnb-field">
          <span class="dnb-muted">{t("Into the folder")}</span>
          <input
            data-first
            class="dnb-input"
            type="text"
            value={into}
            spellcheck={false}
            onInput={(event) => setInto(event.currentTarget.value)}
            onKeyDown={(event) => event.key === "Enter" && run()}
          />
        </label>
        <button type="button" class="dnb-button dnb-primary" aria-disabled={!can} onClick={run}>
          {action.pending ? t("Starting…") : t("Download")}
        </button>
      </div>
      <p class="dnb-muted">{t("On the kernel's computer, beside the notebook unless the path says otherwise. Nothing there is overwritten.")}</p>
      {action.error && <Notice tone="fail" message={action.error.message} remedy={action.error.remedy} />}
    </Pane>
  );
}

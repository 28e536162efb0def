import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { formatDateTime, formatNumber } from "../lib/format";
import { plural, t } from "../lib/i18n";
import type { JobState } from "../lib/messages";

export type CancelChoiceProps = { state: JobState; back: () => void; cancel: (ingest: "later" | "keep" | "remove") => void };

/** What each way of stopping does to what was sent, with the numbers of now. Closing a session commits, so it asks. */
export default function CancelChoice({ state, back, cancel }: CancelChoiceProps) {
  const first = useRef<HTMLButtonElement>(null);
  useEffect(() => first.current?.focus(), []);
  const sending = state.phases.find(({ name }) => name === "sending")!;
  const closed = sending.state !== "active";
  return (
    <div
      class="dnb-choice"
      role="group"
      aria-label={t("How to stop")}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        back();
      }}
    >
      <p>
        <span class="dnb-strong">{t("How should it stop?")}</span>{" "}
        {closed
          ? plural(sending.files_total, "{count} file is sent, and its upload session is closed.", "{count} files are sent, and their upload session is closed.")
          : plural(sending.files_total, "{done} of {count} file is sent.", "{done} of {count} files are sent.", { done: formatNumber(sending.files_done) })}
      </p>
      <div class="dnb-ways">
        <Way button={first} words={closed ? t("Stop watching") : t("Stop, ingest later")} onClick={() => cancel("later")}>
          {closed ? t("The platform ingests what was sent, whether anybody watches or not. job.retry() goes on watching.") : later(state)}
        </Way>
        {!closed && state.counts.waiting > 0 && (
          <Way words={t("Stop, keep what is sent")} onClick={() => cancel("keep")}>
            {plural(
              state.counts.waiting,
              "The session is closed now, and the platform ingests the {count} file that waits in it. Nothing else is sent.",
              "The session is closed now, and the platform ingests the {count} files that wait in it. Nothing else is sent.",
            )}
          </Way>
        )}
        {(closed || state.counts.waiting > 0) && (
          <Way words={t("Stop, remove what is sent")} onClick={() => cancel("remove")}>
            {t("What was sent is ingested, as there is no other way, and then exactly these files are deleted. This takes as long as ingestion does.")}
          </Way>
        )}
        <Way words={closed ? t("Go on watching") : t("Go on sending")} onClick={back} />
      </div>
    </div>
  );
}

function later({ counts, expires_at }: JobState): string {
  const waiting = plural(counts.waiting, "{count} file waits in the upload session, not ingested.", "{count} files wait in the upload session, not ingested.");
  const until = expires_at
    ? t("It stays open until {when}; then the platform closes it by itself.", { when: formatDateTime(expires_at) })
    : t("It stays open until it is closed, or the platform closes it by itself.");
  return [counts.waiting ? waiting : t("Nothing waits in the upload session yet."), until, t("Go on in this panel, or run the same cell again, to send the rest.")].join(" ");
}

type WayProps = { words: string; onClick: () => void; button?: RefObject<HTMLButtonElement | null>; children?: string };

function Way({ words, onClick, button, children }: WayProps) {
  return (
    <>
      <div>
        <button ref={button ?? null} type="button" class="dnb-button" onClick={onClick}>
          {words}
        </button>
      </div>
      <div>{children}</div>
    </>
  );
}

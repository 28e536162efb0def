import { plural, t } from "../lib/i18n";
import type { JobState } from "../lib/messages";
import { ended } from "../lib/milestones";
import type { UploaderState } from "../lib/upload_messages";

/** Which way the files go: straight to the bucket, through the kernel, or some of each. */
export function LaneLine({ state: { lanes }, job }: { state: UploaderState; job: JobState }) {
  const { direct, kernel, page } = lanes;
  if (!direct && !kernel && !page) return null;
  const way = !direct && !kernel
    ? ""
    : !kernel
    ? t("Straight from this browser to the bucket.")
      : !direct
      ? t("Through the notebook's kernel.")
      : `${plural(direct, "{count} file straight from this browser to the bucket", "{count} files straight from this browser to the bucket")}, ${t("the others through the notebook's kernel.")}`;
  return (
    <p class="dnb-muted dnb-lane">
      {way} {page > 0 && !ended(job) && t("Keep this page open until all are sent.")}
    </p>
  );
}

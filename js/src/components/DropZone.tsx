import { useRef, useState } from "preact/hooks";
import { fromDrop, fromInput, type Chosen } from "../lib/entries";
import { t } from "../lib/i18n";
import { Icon } from "./Icon";

type Props = { compact: boolean; hint: string; onChosen: (chosen: Chosen[]) => void };

/** A place to drop files and folders on, with buttons that do the same for a keyboard. */
export function DropZone({ compact, hint, onChosen }: Props) {
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);

  const onDrag = (event: DragEvent) => {
    // The notebook around must not take the drop for its own file browser.
    event.preventDefault();
    event.stopPropagation();
    if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
    setOver(true);
  };
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    event.stopPropagation();
    setOver(false);
    if (event.dataTransfer) void fromDrop(event.dataTransfer).then(onChosen);
  };
  const onInput = (event: Event) => {
    const input = event.currentTarget as HTMLInputElement;
    const chosen = fromInput(input.files ?? []);
    input.value = ""; // so that the same file can be chosen again
    if (chosen.length) onChosen(chosen);
  };

  return (
    <div
      class={`dnb-drop ${compact ? "dnb-compact" : ""} ${over ? "dnb-over" : ""}`}
      onDragEnter={onDrag}
      onDragOver={onDrag}
      onDragLeave={() => setOver(false)}
      onDrop={onDrop}
    >
      <p>
        <Icon name="drop" /> {over ? t("Let go to add them") : t("Drop files or folders here")}
      </p>
      <div class="dnb-buttons">
        <button type="button" class="dnb-button" onClick={() => files.current?.click()}>
          {t("Choose files")}
        </button>
        <button type="button" class="dnb-button" onClick={() => folder.current?.click()}>
          {t("Choose folder")}
        </button>
      </div>
      {!compact && <p class="dnb-muted">{hint}</p>}
      <input ref={files} type="file" multiple hidden onChange={onInput} data-dnb="files" />
      <input ref={folder} type="file" hidden onChange={onInput} data-dnb="folder" {...{ webkitdirectory: true }} />
    </div>
  );
}

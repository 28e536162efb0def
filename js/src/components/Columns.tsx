import { t } from "../lib/i18n";
import { visible } from "../lib/text";

const MOST = 8;

type Props = { known: string[]; chosen: string[]; choose: (keys: string[]) => void };

/** Which metadata keys are columns, out of those that the rows seen so far have. */
export function Columns({ known, chosen, choose }: Props) {
  const keys = [...chosen, ...known.filter((key) => !chosen.includes(key))];
  if (!keys.length) return <p class="dnb-muted">{t("The files seen so far have no metadata.")}</p>;
  return (
    <fieldset class="dnb-keys">
      <legend class="dnb-muted">{t("Metadata of the files seen so far")}</legend>
      {keys.map((key) => {
        const on = chosen.includes(key);
        return (
          <label key={key}>
            <input
              type="checkbox"
              checked={on}
              disabled={!on && chosen.length >= MOST}
              onChange={() => choose(on ? chosen.filter((one) => one !== key) : [...chosen, key])}
            />{" "}
            <bdi>{visible(key, 60)}</bdi>
          </label>
        );
      })}
    </fieldset>
  );
}

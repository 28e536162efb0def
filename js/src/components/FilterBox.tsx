import { useDraft } from "../lib/hooks";
import { rich, t } from "../lib/i18n";
import type { FileQuery } from "../lib/messages_browsers";
import type { Query } from "../lib/query";
import { Problems } from "./Problems";

const EXAMPLES = ["topic eq 'news'", "year ge 2020", "topic eq 'news' and author eq 'Ada'"];

/** The platform's own filter, for those who know its language, with examples for those who do not. */
export function FilterBox({ query, ask }: { query: FileQuery; ask: Query<FileQuery> }) {
  const { text, ...draft } = useDraft(query.filter, ask.busy);
  const apply = (filter: string) => {
    draft.ask(filter);
    ask.ask({ filter: filter.trim() });
  };
  return (
    <div class="dnb-filter">
      <div class="dnb-field">
        <label class="dnb-field">
          <span class="dnb-muted">{t("Metadata filter")}</span>
          <input
            type="text"
            class="dnb-input dnb-mono"
            value={text}
            spellcheck={false}
            autocomplete="off"
            aria-invalid={ask.problem !== null}
            placeholder="topic eq 'news'"
            onInput={(event) => draft.type(event.currentTarget.value)}
            onKeyDown={(event) => event.key === "Enter" && apply(event.currentTarget.value)}
          />
        </label>
        <button type="button" class="dnb-button" onClick={() => apply(text)}>
          {t("Apply")}
        </button>
        {(text || query.filter) && (
          <button type="button" class="dnb-button" onClick={() => apply("")}>
            {t("Clear")}
          </button>
        )}
      </div>
      <Problems of={[ask.problem]} />
      <p class="dnb-muted dnb-examples">
        {t("For example")}{" "}
        {EXAMPLES.map((example) => (
          <button key={example} type="button" class="dnb-chip-button" onClick={() => draft.type(example)}>
            <code>{example}</code>
          </button>
        ))}
      </p>
      <p class="dnb-muted">
        {rich("Compares metadata with {operators}; texts in quotes, joined by {and}. The platform promises {eq} and {and} only.", {
          operators: <code>eq ne gt ge lt le</code>,
          and: <code>and</code>,
          eq: <code>eq</code>,
        })}
      </p>
    </div>
  );
}

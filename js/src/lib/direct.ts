// The direct lane: this page posts files to the bucket itself, one form each, as the kernel orders it, and reports what
// the bucket answered. The kernel judges the answers and decides what is tried again. A form is a credential: it is
// held by the one post it is for, and by nothing else.
import { answered, fetch as fetchShape, order as orderShape, probe, withdraw, type Answered, type Order } from "./upload_messages";
import { is } from "./shape";

const AT_ONCE = 6; // what browsers open to one host; a post that waits inside the browser looks like one that hangs
const TELL_MS = 400;
const SILENCE_MS = 120_000; // without a byte moving: the connection is dead
const PROBE_MS = 15_000;
const BODY = 8192; // characters of an answer

type Outcome = Pick<Answered, "status"> & Partial<Answered>;

export type Page = {
  id: string;
  say: (message: object) => void;
  file: (id: string) => File | null;
  /** Sends a file to the kernel; resolves to whether all of it arrived. */
  bring: (id: string) => Promise<boolean>;
  /** Stops that. */
  leave: (id: string) => void;
  /** So many bytes of a file are out, and whether its post is still under way. */
  moved: (id: string, bytes: number, posting: boolean) => void;
};

export class Direct {
  readonly #page: Page;
  readonly #posts = new Map<string, { file: string; request: XMLHttpRequest | null; loaded: number }>();
  #waiting: Order[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(page: Page) {
    this.#page = page;
  }

  /** A message of the kernel to this page. */
  take(message: unknown): void {
    if (is(orderShape, message)) {
      this.#waiting.push(message as Order);
      this.#begin();
    } else if (is(probe, message)) void this.#probe(message.url).then((outcome) => this.#answer(message.order, outcome));
    else if (is(fetchShape, message)) void this.#fetch(message.order, message.file);
    else if (is(withdraw, message)) this.#withdraw(message.order);
    else this.#tell();
  }

  dispose(): void {
    this.#waiting = [];
    for (const [order] of this.#posts) this.#withdraw(order);
  }

  // ---- posting

  #begin(): void {
    while (this.#posts.size < AT_ONCE && this.#waiting.length) void this.#post(this.#waiting.shift()!);
    if (this.#posts.size) {
      if (!this.#timer) addEventListener("beforeunload", warn);
      this.#timer ??= setInterval(() => this.#tell(), TELL_MS);
    } else if (this.#timer) {
      removeEventListener("beforeunload", warn);
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  async #post({ order, file: id, url, fields, name }: Order): Promise<void> {
    const file = this.#page.file(id);
    if (!file) return this.#answer(order, { status: 0, problem: "unknown" });
    const form = new FormData();
    for (const [field, value] of Object.entries(fields)) form.append(field, value);
    form.append("file", file, name); // the file itself: a slice of it takes a slower way through the browser
    const request = new XMLHttpRequest();
    const post = { file: id, request, loaded: 0 };
    this.#posts.set(order, post);
    const outcome = await send(request, url, form, SILENCE_MS, ({ loaded, total }) => {
      post.loaded = Math.min(Math.max(0, loaded - (total - file.size)), file.size); // without the form around it
      this.#page.moved(id, post.loaded, true);
    });
    if (this.#posts.get(order) !== post) return; // withdrawn
    this.#posts.delete(order);
    // Browsers do not tell a broken connection from a file that has changed under them.
    if (!outcome.status && !(await isReadable(file))) outcome.problem = "unreadable";
    this.#page.moved(id, outcome.status >= 200 && outcome.status < 300 ? file.size : 0, false);
    this.#answer(order, outcome);
    this.#begin();
  }

  async #probe(url: string): Promise<Outcome> {
    const form = new FormData(); // the same kind of request, and nothing in it that anybody could want
    form.append("file", new Blob([]), "probe");
    const outcome = await send(new XMLHttpRequest(), url, form, PROBE_MS, () => undefined);
    return /<Code>\w+<\/Code>/.test(outcome.body ?? "") ? outcome : { status: 0 }; // else it is no bucket
  }

  async #fetch(order: string, file: string): Promise<void> {
    if (!this.#page.file(file)) return this.#answer(order, { status: 0, problem: "unknown" });
    this.#posts.set(order, { file, request: null, loaded: 0 });
    const arrived = await this.#page.bring(file);
    if (!this.#posts.delete(order)) return;
    this.#answer(order, { status: arrived ? 200 : 0 });
    this.#begin();
  }

  #withdraw(order: string): void {
    this.#waiting = this.#waiting.filter((one) => one.order !== order);
    const post = this.#posts.get(order);
    this.#posts.delete(order);
    if (post) this.#page.moved(post.file, 0, false);
    if (post?.request) post.request.abort();
    else if (post) this.#page.leave(post.file);
    this.#begin();
  }

  // ---- telling

  #answer(order: string, outcome: Outcome): void {
    const message: Answered = { kind: answered.kind[0], order, body: "", retry_after: "", problem: "", ...outcome };
    this.#page.say(message);
  }

  #tell(): void {
    const orders = Object.fromEntries([...this.#posts].map(([order, { loaded }]) => [order, loaded]));
    this.#page.say({ kind: "loaded", page: this.#page.id, orders });
  }
}

function send(request: XMLHttpRequest, url: string, form: FormData, silenceMs: number, onLoaded: (event: ProgressEvent) => void): Promise<Outcome> {
  return new Promise((resolve) => {
    let timer: ReturnType<typeof setTimeout>;
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(() => request.abort(), silenceMs);
    };
    request.upload.onprogress = (event) => {
      alive();
      onLoaded(event);
    };
    request.onloadend = () => {
      clearTimeout(timer);
      const retry_after = /^retry-after: *(.*)$/im.exec(request.getAllResponseHeaders())?.[1]?.trim() ?? "";
      resolve({ status: request.status, body: request.responseText.slice(0, BODY), retry_after });
    };
    alive();
    try {
      request.open("POST", url);
      request.send(form);
    } catch {
      clearTimeout(timer!);
      resolve({ status: 0 });
    }
  });
}

const isReadable = (file: File): Promise<boolean> =>
  file
    .slice(0, 1)
    .arrayBuffer()
    .then(
      () => true,
      () => false,
    );

/** Files are on their way that only this page has. */
const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
